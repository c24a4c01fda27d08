"""What need a request not do, or not again?"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest

Make = Callable[["PromisingRequest"], Any]

# A wildcard allows any number of them.
MAX_HOSTS = 1000
# Each with the very setting that allows it.
_allowed: dict[str, list[str]] = {}


class Promised:
    """An attribute that is made when it is first read; until then it does not exist."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, request: "PromisingRequest | None", owner: type) -> Any:
        if request is None:
            return self
        if self.name not in request.__dict__:
            request.__dict__[self.name] = self._maker(request)(request)
        return request.__dict__[self.name]

    def __set__(self, request: "PromisingRequest", value: object) -> None:
        request.__dict__[self.name] = value

    def __delete__(self, request: "PromisingRequest") -> None:
        if self.name in request.__dict__:
            del request.__dict__[self.name]
        else:
            self._maker(request)
        promises = request.promises.items()
        request.promises = {name: make for name, make in promises if name != self.name}

    def _maker(self, request: "PromisingRequest") -> Make:
        make = request.promises.get(self.name)
        if make is None:
            raise AttributeError(
                f"{type(request).__name__!r} object has no attribute {self.name!r}"
            )
        return make


class PromisingRequest(ASGIRequest):
    """Django's request, whose session, user and messages cost nothing unless used.

    As Django's middleware makes them they refer to their request, and it to them: every
    request would have to be found by the garbage collector. This one is gone the moment
    it is answered, and its memory is the next one's.
    """

    promises: dict[str, Make] = {}  # noqa: RUF012

    session = Promised()
    user = Promised()
    auser = Promised()
    _messages = Promised()

    def get_host(self) -> str:
        """As Django's; but what was allowed once is not taken apart again."""
        host: str | None = self.META.get("HTTP_HOST")
        if host in _allowed and not settings.USE_X_FORWARDED_HOST:
            if _allowed[host] is settings.ALLOWED_HOSTS:
                return host
        found = super().get_host()
        if found == host:
            if len(_allowed) == MAX_HOSTS:
                _allowed.clear()
            _allowed[host] = settings.ALLOWED_HOSTS
        return found

    def promise(self, **makers: Make) -> None:
        """Each names an attribute, and is called with the request if that is read."""
        self.promises = self.promises | makers if self.promises else makers

    def has(self, name: str) -> bool:
        """Whether the attribute was made, or set, and not only promised."""
        return name in self.__dict__
