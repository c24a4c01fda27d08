"""Several middleware in one coroutine.

For each middleware Django puts two coroutines around the view: the middleware's own, and
one that turns its errors into responses. Middleware of this package that follow each other
in MIDDLEWARE share one coroutine, with the same result.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class InPlace:
    """The asynchronous call of a middleware whose hooks run in place where they may.

    A base class to name before Django's MiddlewareMixin, or a class derived from that.
    Each middleware still behaves as Django documents: an error in it becomes a response,
    which the outer ones see, and a response of its own skips the inner ones.
    """

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)  # type: ignore[call-arg]
        self._pass_through((self,), get_response)

    def enclose(self, inner: "InPlace") -> None:
        """Does the work of `inner`, which `get_response` calls, in the same coroutine."""
        self._pass_through((self, *inner.layers), inner.view)

    def _pass_through(
        self, layers: "tuple[InPlace, ...]", view: Callable[[HttpRequest], Any]
    ) -> None:
        self.layers = layers
        self.view = view
        hooks = [(depth, Hooks.of(each)) for depth, each in enumerate(layers)]
        self.beginnings = [(depth, each.begin) for depth, each in hooks if each.begin]
        self.endings = [
            (depth, each.finish, each.is_done, each.may_block)
            for depth, each in reversed(hooks)
            if each.finish
        ]

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase | None = None
        reached = 0
        try:
            for depth, begin in self.beginnings:
                reached = depth
                response = begin(request)
                if response is not None:
                    break
            else:
                reached = len(self.layers) - 1
                response = await self.view(request)
        except Exception as error:
            response = await self.answer_error(request, error, reached)
            reached -= 1
        assert response is not None
        for depth, finish, is_done, may_block in self.endings:
            if depth > reached or (is_done and is_done(request)):
                continue
            try:
                if may_block and may_block(request):
                    response = await sync_to_async(finish)(request, response)
                else:
                    response = finish(request, response)
            except Exception as error:
                response = await self.answer_error(request, error, depth)
        return response

    async def answer_error(
        self, request: HttpRequest, error: Exception, depth: int
    ) -> HttpResponseBase:
        """Django's response to an error; Django itself handles one of the outermost layer."""
        if not depth:
            raise error
        answer = sync_to_async(response_for_exception, thread_sensitive=False)
        response: HttpResponseBase = await answer(request, error)
        return response

    def is_done(self, request: HttpRequest) -> bool:
        """Whether process_response would do nothing."""
        return False

    def may_block(self, request: HttpRequest) -> bool:
        """Whether process_response has something to load or save."""
        return False


@dataclass(frozen=True, slots=True)
class Hooks:
    """The methods of a middleware that have to be called; None for those that do nothing."""

    begin: Callable[[HttpRequest], HttpResponseBase | None] | None
    finish: Callable[[HttpRequest, HttpResponseBase], HttpResponseBase] | None
    is_done: Callable[[HttpRequest], bool] | None
    may_block: Callable[[HttpRequest], bool] | None

    @classmethod
    def of(cls, middleware: InPlace) -> Self:
        kind = type(middleware)
        return cls(
            getattr(middleware, "process_request", None),
            getattr(middleware, "process_response", None),
            None if kind.is_done is InPlace.is_done else middleware.is_done,
            None if kind.may_block is InPlace.may_block else middleware.may_block,
        )
