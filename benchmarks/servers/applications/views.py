"""Django views, for both stock Django and this site.

The asynchronous views are for ASGI, their synchronous counterparts for WSGI.
"""

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, JsonResponse

from benchmarks.servers.applications.answers import HELLO, current_time


async def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(HELLO, content_type="text/plain; charset=utf-8")


def hello_sync(request: HttpRequest) -> HttpResponse:
    return HttpResponse(HELLO, content_type="text/plain; charset=utf-8")


async def time(request: HttpRequest) -> JsonResponse:
    return JsonResponse(current_time())


def time_sync(request: HttpRequest) -> JsonResponse:
    return JsonResponse(current_time())


def users(request: HttpRequest) -> JsonResponse:
    """Runs one query through the ORM, in a synchronous view."""
    return JsonResponse({"users": get_user_model().objects.count()})
