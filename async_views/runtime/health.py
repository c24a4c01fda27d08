"""Is this process alive, and can it serve? Two answers, for whoever keeps it running."""

import asyncio

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from async_views.runtime.database import connection, is_unavailable
from async_views.runtime.problems import problem_response, unavailable
from async_views.runtime.read_only import read_only


@read_only("GET", "HEAD")
@never_cache
async def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


@read_only("GET", "HEAD")
@never_cache
async def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, else 503."""
    if await is_ready(request):
        return JsonResponse({"status": "ok"})
    return problem_response(
        request, unavailable("The database does not answer right now.")
    )


async def is_ready(request: HttpRequest) -> bool:
    """Whether the database answers within DATABASE_SECONDS."""
    try:
        async with (
            asyncio.timeout(settings.DATABASE_SECONDS),
            connection(request) as database,
        ):
            await database.execute("SELECT 1")
    except TimeoutError:
        return False
    except Exception as error:
        if is_unavailable(error):
            return False
        raise
    return True
