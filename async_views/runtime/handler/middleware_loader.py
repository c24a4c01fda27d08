"""Loading MIDDLEWARE as Django does, with this package's classes in place of Django's.

Only `Handler` uses the table in `middleware.py`: settings, system checks and WSGI keep
Django's classes.
"""

import logging
from functools import cache
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, MiddlewareNotUsed
from django.core.handlers.exception import convert_exception_to_response
from django.utils.module_loading import import_string

from async_views.runtime.handler.middleware import in_place_classes
from async_views.runtime.handler.middleware_layers import InPlace

WRITTEN_FOR = (5, 2)

logger = logging.getLogger(__name__)
# Django's logger for a middleware that is not used.
request_logger = logging.getLogger("django.request")


def load_middleware(handler: Any, is_async: bool) -> None:
    """Sets what BaseHandler.load_middleware sets on `handler`.

    Middleware of this package that follow each other share a coroutine.
    """
    warn_of_another_django(django.VERSION[:2])
    classes = in_place_classes()
    handler._view_middleware = []
    handler._template_response_middleware = []
    handler._exception_middleware = []
    chain = convert_exception_to_response(
        handler._get_response_async if is_async else handler._get_response
    )
    chain_is_async = is_async
    outermost: object = None
    for path in reversed(settings.MIDDLEWARE):
        factory = classes.get(path) or import_string(path)
        runs_async = is_run_async(factory, path, chain_is_async)
        adapted = handler.adapt_method_mode(
            runs_async,
            chain,
            chain_is_async,
            debug=settings.DEBUG,
            name=f"middleware {path}",
        )
        try:
            middleware: Any = factory(adapted)
        except MiddlewareNotUsed as error:
            if settings.DEBUG:
                reason = f"({path!r}): {error}" if str(error) else f": {path!r}"
                request_logger.debug("MiddlewareNotUsed%s", reason)
            continue
        if middleware is None:
            raise ImproperlyConfigured(f"Middleware factory {path} returned None.")
        if (
            isinstance(middleware, InPlace)
            and isinstance(outermost, InPlace)
            # A factory may put something of its own between the two.
            and middleware.view is chain
        ):
            middleware.enclose(outermost)
        add_hooks(handler, middleware, is_async)
        chain = convert_exception_to_response(middleware)
        chain_is_async = runs_async
        outermost = middleware
    handler._middleware_chain = handler.adapt_method_mode(
        is_async, chain, chain_is_async
    )


def is_run_async(factory: Any, path: str, chain_is_async: bool) -> bool:
    can_sync = getattr(factory, "sync_capable", True)
    can_async = getattr(factory, "async_capable", False)
    if not can_sync and not can_async:
        raise RuntimeError(
            f"Middleware {path} must have at least one of sync_capable/async_capable "
            "set to True."
        )
    return bool(can_async and (chain_is_async or not can_sync))


def add_hooks(handler: Any, middleware: Any, is_async: bool) -> None:
    if hasattr(middleware, "process_view"):
        hook = handler.adapt_method_mode(is_async, middleware.process_view)
        handler._view_middleware.insert(0, hook)
    if hasattr(middleware, "process_template_response"):
        hook = handler.adapt_method_mode(is_async, middleware.process_template_response)
        handler._template_response_middleware.append(hook)
    if hasattr(middleware, "process_exception"):
        hook = handler.adapt_method_mode(False, middleware.process_exception)
        handler._exception_middleware.append(hook)


@cache
def warn_of_another_django(version: tuple[int, int]) -> None:
    """Logs once that the classes in the table override another version of Django's."""
    if version != WRITTEN_FOR:
        logger.warning(
            "Django is %d.%d, and its middleware that runs without a thread was written "
            "for %d.%d: run `make test-django`.",
            *version,
            *WRITTEN_FOR,
        )
