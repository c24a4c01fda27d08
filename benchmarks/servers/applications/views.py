"""What do Django's views answer, in stock Django and in this site alike?

The asynchronous ones are for ASGI; the synchronous twins are what one writes for WSGI.
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
    """One query by the ORM, in a synchronous view."""
    return JsonResponse({"users": get_user_model().objects.count()})
