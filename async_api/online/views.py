"""/counter/: the page with the number of users online."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from async_api.online.broadcast import REPEAT_SECONDS
from async_api.online.presence import total
from async_views.runtime.views.gateway import serving
from async_views.runtime.views.known_parameters import takes_no_parameters
from async_views.runtime.views.read_only import read_only


@read_only("GET", "HEAD")
@never_cache
@takes_no_parameters(page=True)
async def counter(request: HttpRequest) -> HttpResponse:
    """The current number; the page's script keeps it current."""
    context = number(await total(request)) | {"server": serving(request)}
    return render(request, "online/page.html", context)


def number(total: int | None) -> dict[str, Any]:
    """The context of online/number.html; None if the number is not known."""
    # The server repeats the number sooner; one repetition may be late.
    return {"total": total, "silence_seconds": 2 * REPEAT_SECONDS}
