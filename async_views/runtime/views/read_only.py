"""A decorator for views that only read."""

from collections.abc import Callable
from typing import TypeVar

from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

View = TypeVar("View", bound=Callable[..., object])


def read_only(*methods: str) -> Callable[[View], View]:
    """Responds 405 to any method other than these safe ones.

    Exempt from the CSRF check, which would otherwise come first and complain about a
    cookie.
    """

    def decorate(view: View) -> View:
        return csrf_exempt(require_http_methods(methods)(view))

    return decorate
