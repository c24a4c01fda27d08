"""A WSGI application that responds with its process ID."""

import os
from collections.abc import Callable
from typing import Any


def application(
    environment: dict[str, Any], start_response: Callable[..., Any]
) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
