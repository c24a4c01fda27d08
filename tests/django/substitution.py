"""How do Django's tests come to use this site's classes?

By the names under which they know Django's: `from django.middleware.common import
CommonMiddleware`, and the same in a dotted path of MIDDLEWARE, give ours.
"""

import sys
from importlib import import_module

from benchmarks.servers.applications import startproject

HANDLER = "django.core.handlers.asgi.ASGIHandler"
MIDDLEWARE = (
    *startproject.MIDDLEWARE,
    "django.middleware.http.ConditionalGetMiddleware",
)


class NotSubstitutable(Exception):
    """The run would tell less than it claims."""


def use_our_classes() -> None:
    """Puts our classes in the place of Django's, in this process and for good.

    To be called when the applications are loaded, and before a test is imported. Raises
    NotSubstitutable where ours is not derived from the class that it replaces.
    """
    ours = {HANDLER: "async_views.runtime.handler.asgi_handler.Handler"} | {
        path: f"async_views.runtime.handler.middleware.{path.rpartition('.')[2]}"
        for path in MIDDLEWARE
    }
    # All are imported before any is put in place: ours import Django's.
    pairs = [(named(path), named(our_path)) for path, our_path in ours.items()]
    for stock, our in pairs:
        if our is stock or not issubclass(our, stock):
            raise NotSubstitutable(f"{our} is not derived from {stock}.")
        put_in_place_of(stock, our)


def named(path: str) -> type:
    """The class that a dotted path names, at this moment."""
    module, _, name = path.rpartition(".")
    found: type = getattr(import_module(module), name)
    return found


def put_in_place_of(known: type, substitute: type) -> None:
    """In every module of Django's that has imported it so far."""
    for name, module in list(sys.modules.items()):
        if name.startswith("django."):
            for attribute, value in list(vars(module).items()):
                if value is known:
                    setattr(module, attribute, substitute)
