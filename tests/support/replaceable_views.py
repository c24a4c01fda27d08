"""Views that tests of the handler can replace, at fixed paths."""

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import path

View = Callable[[HttpRequest], Any]


# Set by each test.
views: dict[str, View] = {}


async def view(request: HttpRequest) -> HttpResponseBase:
    response: HttpResponseBase = await views["async"](request)
    return response


def synchronous_view(request: HttpRequest) -> HttpResponseBase:
    response: HttpResponseBase = views["sync"](request)
    return response


def backend(request: HttpRequest) -> HttpResponse:
    """The current thread and connection, and the number of connections."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_backend_pid(), count(*), pg_sleep(0.005) FROM pg_stat_activity"
            " WHERE datname = current_database()"
        )
        pid, connected, _ = cursor.fetchone()
    return JsonResponse(
        {"pid": pid, "connected": connected, "thread": threading.get_ident()}
    )


async def leftovers(request: HttpRequest) -> HttpResponse:
    """The resources that this process holds during this request."""
    return JsonResponse(
        {
            "tasks": len(asyncio.all_tasks()),
            "threads": threading.active_count(),
            "files": len(os.listdir("/proc/self/fd")),
            "connected": await sync_to_async(count_connections)(),
        }
    )


def count_connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        )
        return int(cursor.fetchone()[0])


async def ok(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [
    path("async/", view),
    path("sync/", synchronous_view),
    path("backend/", backend),
    path("leftovers/", leftovers, name="leftovers"),
]
