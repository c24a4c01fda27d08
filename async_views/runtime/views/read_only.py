"""How does a view say that it only reads?"""

from collections.abc import Callable
from typing import TypeVar

from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

View = TypeVar("View", bound=Callable[..., object])


def read_only(*methods: str) -> Callable[[View], View]:
    """Answers 405 to any but these safe methods.

    Otherwise the CSRF check would come first, and tell whoever posts here about a
    cookie instead of what is wrong.
    """

    def decorate(view: View) -> View:
        return csrf_exempt(require_http_methods(methods)(view))

    return decorate
