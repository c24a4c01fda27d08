"""Substitutes this site's classes for Django's in Django's tests.

`from django.middleware.common import CommonMiddleware`, and the same dotted path in
MIDDLEWARE, then return our class.
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
    """Our class is not derived from Django's."""


def use_our_classes() -> None:
    """Replaces Django's classes with ours in this process.

    Call it after the applications are loaded and before a test is imported. Raises
    NotSubstitutable if ours is not derived from the class that it replaces.
    """
    ours = {HANDLER: "async_views.runtime.handler.asgi_handler.Handler"} | {
        path: f"async_views.runtime.handler.middleware.{path.rpartition('.')[2]}"
        for path in MIDDLEWARE
    }
    # All are imported before any is replaced: ours import Django's.
    pairs = [(named(path), named(our_path)) for path, our_path in ours.items()]
    for stock, our in pairs:
        if our is stock or not issubclass(our, stock):
            raise NotSubstitutable(f"{our} is not derived from {stock}.")
        put_in_place_of(stock, our)


def named(path: str) -> type:
    """The class that a dotted path currently names."""
    module, _, name = path.rpartition(".")
    found: type = getattr(import_module(module), name)
    return found


def put_in_place_of(known: type, substitute: type) -> None:
    """Replaces a class in every module of Django that has imported it so far."""
    for name, module in list(sys.modules.items()):
        if name.startswith("django."):
            for attribute, value in list(vars(module).items()):
                if value is known:
                    setattr(module, attribute, substitute)
