"""Typed access to the resources that the lifespan keeps in ``scope["state"]``."""

from typing import Generic, TypeVar

from django.http import HttpRequest

from async_views.runtime.asgi.types import Scope

Resource = TypeVar("Resource")


class StateKey(Generic[Resource]):
    """The name of a resource in the lifespan's table, with the resource's type."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def of(self, scope: Scope) -> Resource:
        """The resource of the worker that serves this scope; KeyError without one."""
        resource: Resource = scope["state"][self.name]
        return resource

    def find(self, request: HttpRequest) -> Resource | None:
        """The worker's resource; None without a lifespan: WSGI, or the test client."""
        state = getattr(request, "scope", {}).get("state", {})
        resource: Resource | None = state.get(self.name)
        return resource
