"""A request whose session, user and messages are created when they are first used."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest

Make = Callable[["LazyRequest"], Any]

# A wildcard in ALLOWED_HOSTS allows any number of hosts.
MAX_HOSTS = 1000
# Hosts that were allowed, each with the setting that allowed it.
_allowed: dict[str, list[str]] = {}


class LazyAttribute:
    """An attribute that is created when it is first read."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, request: "LazyRequest | None", owner: type) -> Any:
        if request is None:
            return self
        if self.name not in request.__dict__:
            request.__dict__[self.name] = self._maker(request)(request)
        return request.__dict__[self.name]

    def __set__(self, request: "LazyRequest", value: object) -> None:
        request.__dict__[self.name] = value

    def __delete__(self, request: "LazyRequest") -> None:
        if self.name in request.__dict__:
            del request.__dict__[self.name]
        else:
            self._maker(request)
        makers = request.makers.items()
        request.makers = {name: make for name, make in makers if name != self.name}

    def _maker(self, request: "LazyRequest") -> Make:
        make = request.makers.get(self.name)
        if make is None:
            raise AttributeError(
                f"{type(request).__name__!r} object has no attribute {self.name!r}"
            )
        return make


class LazyRequest(ASGIRequest):
    """Django's request, whose session, user and messages cost nothing unless used.

    Those that Django's middleware creates refer to their request, and it to them, so that
    every request would be left to the garbage collector. This request is freed as soon as
    it has its response.
    """

    makers: dict[str, Make] = {}  # noqa: RUF012

    session = LazyAttribute()
    user = LazyAttribute()
    auser = LazyAttribute()
    _messages = LazyAttribute()

    def get_host(self) -> str:
        """As Django's, but a host that was allowed is not parsed and checked again."""
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

    def set_lazy(self, **makers: Make) -> None:
        """Sets functions of the request that create the attributes of these names."""
        self.makers = self.makers | makers if self.makers else makers

    def has(self, name: str) -> bool:
        """Whether the attribute has a value, and not only a function to create it."""
        return name in self.__dict__
