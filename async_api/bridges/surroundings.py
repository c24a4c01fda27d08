"""The server around an experiment: its gateway, threads and versions."""

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
    """What a prediction depends on."""

    gateway: str
    sensitive: Executor
    pool_size: int
    handles_requests_concurrently: bool


def surroundings(request: HttpRequest) -> Surroundings:
    """Call it where the experiment's calls will be made: on the event loop."""
    served_by = gateway(request)
    return Surroundings(
        served_by,
        sensitive_executor(),
        default_pool_size(),
        served_by == "ASGI" or bool(request.META.get("wsgi.multithread")),
    )
