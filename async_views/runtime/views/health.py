"""Health checks: /healthz (the process is alive) and /readyz (it can serve requests).

Monitoring requests them from the process directly, by its address and without TLS. So the
middleware `health` answers before other middleware can reject the host or the scheme, and
they have no routes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django.views.decorators.cache import never_cache

from async_views.runtime.asgi.problem import unavailable
from async_views.runtime.handler.security_headers import secure
from async_views.runtime.postgres.database import connection, is_unavailable
from async_views.runtime.postgres.pending_migrations import in_words, pending_migrations
from async_views.runtime.views.problems import (
    DATABASE_UNAVAILABLE,
    fault_of,
    problem_response,
    shaped,
)
from async_views.runtime.views.read_only import read_only


@read_only("GET", "HEAD")
@never_cache
async def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process responds."""
    return JsonResponse({"status": "ok"})


@read_only("GET", "HEAD")
@never_cache
async def readyz(request: HttpRequest) -> HttpResponse:
    """200 if the database responds and has every migration, else 503 with the reason."""
    if reason := await unreadiness(request, settings.DATABASE_SECONDS):
        return problem_response(request, unavailable(reason))
    return JsonResponse({"status": "ok"})


async def unreadiness(request: HttpRequest, seconds: float) -> str | None:
    """The reason why the site cannot serve, in sentences; None if it can.

    Queries the database each time, for at most `seconds`: migrations can be reverted.
    """
    try:
        async with asyncio.timeout(seconds), connection(request) as database:
            pending = await pending_migrations(database)
    except TimeoutError:
        return DATABASE_UNAVAILABLE
    except psycopg.Error as error:
        if is_unavailable(error):
            return DATABASE_UNAVAILABLE
        why = error.diag.message_primary or type(error).__name__
        return f"The database does not say which migrations it has: {why}."
    if not pending:
        return None
    return (
        f"The database lacks {len(pending)} of this release's migrations: "
        f"{in_words(pending)}. `manage.py migrate` applies them."
    )


Check = Callable[[HttpRequest], Awaitable[HttpResponse]]
CHECKS: dict[str, Check] = {"/healthz": healthz, "/readyz": readyz}


async def checked(request: HttpRequest, check: Check) -> HttpResponseBase:
    """The response, with what the other middleware would add."""
    fault = fault_of(request)
    response = problem_response(request, fault) if fault else await check(request)
    return secure(shaped(request, response))


@sync_and_async_middleware
def health(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware that must come before any that checks the host or the scheme."""
    if iscoroutinefunction(get_response):

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            response: HttpResponseBase
            if check := CHECKS.get(request.path_info):
                response = await checked(request, check)
            else:
                response = await get_response(request)
            return response

        return answer_later

    def answer(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase
        if check := CHECKS.get(request.path_info):
            response = async_to_sync(checked)(request, check)
        else:
            response = get_response(request)
        return response

    return answer
