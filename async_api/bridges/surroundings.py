"""What surrounds an experiment and decides how it goes: gateway, threads, versions?"""

import platform
from dataclasses import dataclass
from importlib.metadata import version

from django.http import HttpRequest

from async_api.bridges.executors import Executor, default_pool_size, sensitive_executor
from async_views.runtime.views.gateway import gateway

VERSIONS = {
    "python": platform.python_version(),
    "django": version("django"),
    "asgiref": version("asgiref"),
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a prediction has to know of the server."""

    gateway: str
    sensitive: Executor
    pool_size: int
    takes_requests_together: bool


def surroundings(request: HttpRequest) -> Surroundings:
    """Asked where the experiment's calls will be made: on the event loop."""
    served_by = gateway(request)
    return Surroundings(
        served_by,
        sensitive_executor(),
        default_pool_size(),
        served_by == "ASGI" or bool(request.META.get("wsgi.multithread")),
    )
