"""/counter/: how many are online, for people."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from async_api.online.presence import total
from async_views.runtime.gateway import serving
from async_views.runtime.read_only import read_only


@read_only("GET", "HEAD")
@never_cache
async def counter(request: HttpRequest) -> HttpResponse:
    """The number as it is now; the page's script then keeps it so."""
    context = {"total": await total(request), "server": serving(request)}
    return render(request, "online/page.html", context)
