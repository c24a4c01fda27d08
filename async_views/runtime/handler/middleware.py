"""Django's middleware, run without a thread where it does no I/O.

Under ASGI Django runs each hook of its middleware on the request's thread, though most
hooks only compute. Each class here is derived from Django's and runs the hooks that do no
I/O in place; a hook that may load or save something hops to the thread when it does.

`in_place_classes` is the table that `middleware_loader.py` reads. It names Django's paths:
a class derived from one of Django's may do I/O, and stays as it is.
"""

from collections.abc import Awaitable, Callable
from functools import cache, partial
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.messages.storage import default_storage
from django.contrib.sessions import middleware as sessions
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware import clickjacking, common, csrf, http, security
from django.utils.functional import SimpleLazyObject

from async_views.runtime.handler.header_fields import HeaderFields, add_missing, checked
from async_views.runtime.handler.middleware_layers import InPlace
from async_views.runtime.handler.request import LazyRequest

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

# Django's own session and message stores do no I/O until they are read or written.
SESSION_ENGINES = "django.contrib.sessions.backends."
MESSAGE_STORAGES = "django.contrib.messages.storage."


class SecurityMiddleware(InPlace, security.SecurityMiddleware):
    """Sets the same headers on all responses, one set for HTTP and one for HTTPS."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        self.fields, self.fields_when_secure = map(self.fields_for, (False, True))

    def fields_for(self, is_secure: bool) -> HeaderFields:
        """The headers that Django's class sets."""
        request, response = HttpRequest(), HttpResponse()
        setattr(request, "is_secure", lambda: is_secure)  # noqa: B010
        del response.headers["Content-Type"]
        super().process_response(request, response)
        return checked(response.headers)

    def process_response(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        is_secure = self.sts_seconds and request.is_secure()
        add_missing(response, self.fields_when_secure if is_secure else self.fields)
        return response


class CommonMiddleware(InPlace, common.CommonMiddleware):
    """Compares URLs, and sets Content-Length."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.status_code == 404 or not isinstance(response, HttpResponse):
            return super().process_response(request, response)
        length = str(len(response.content))
        add_missing(response, {"content-length": ("Content-Length", length)})
        return response


class XFrameOptionsMiddleware(InPlace, clickjacking.XFrameOptionsMiddleware):
    """Sets a header."""

    def process_response(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        if not getattr(response, "xframe_options_exempt", False):
            value = self.get_xframe_options_value(request, response)
            add_missing(response, x_frame_options(value))
        return response


@cache
def x_frame_options(value: str) -> HeaderFields:
    return checked({"X-Frame-Options": value})


class ConditionalGetMiddleware(InPlace, http.ConditionalGetMiddleware):
    """Computes an ETag of a response that is in memory."""


class SessionMiddleware(InPlace, sessions.SessionMiddleware):
    """Sets a lazy session; saves it if it changed."""

    def process_request(self, request: HttpRequest) -> None:
        if isinstance(request, LazyRequest):
            request.set_lazy(session=self.session_of)
        else:
            super().process_request(request)

    def session_of(self, request: HttpRequest) -> SessionBase:
        session: SessionBase = self.SessionStore(
            request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        )
        return session

    def is_done(self, request: HttpRequest) -> bool:
        return (
            isinstance(request, LazyRequest)
            and not request.has("session")
            # A session cookie that is not valid has to be deleted.
            and settings.SESSION_COOKIE_NAME not in request.COOKIES
        )

    def may_block(self, request: HttpRequest) -> bool:
        session = getattr(request, "session", None)
        return session is not None and (
            session.modified or settings.SESSION_SAVE_EVERY_REQUEST
        )


class AuthenticationMiddleware(InPlace, auth.AuthenticationMiddleware):
    """Sets a lazy user."""

    def process_request(self, request: HttpRequest) -> None:
        if isinstance(request, LazyRequest) and "session" in request.makers:
            request.set_lazy(user=user_of, auser=auser_of)
        else:
            super().process_request(request)


def user_of(request: HttpRequest) -> SimpleLazyObject:
    return SimpleLazyObject(lambda: auth.get_user(request))


def auser_of(request: HttpRequest) -> Callable[[], Awaitable[Any]]:
    return partial(auth.auser, request)


class MessageMiddleware(InPlace, messages.MessageMiddleware):
    """Sets lazy messages; stores what was added, and removes what was read."""

    def process_request(self, request: HttpRequest) -> None:
        if isinstance(request, LazyRequest):
            request.set_lazy(_messages=default_storage)
        else:
            super().process_request(request)

    def is_done(self, request: HttpRequest) -> bool:
        return isinstance(request, LazyRequest) and not request.has("_messages")

    def may_block(self, request: HttpRequest) -> bool:
        storage = getattr(request, "_messages", None)
        return storage is not None and bool(storage.used or storage.added_new)


class CsrfViewMiddleware(InPlace, csrf.CsrfViewMiddleware):
    """Compares a cookie with a form; reading the form of an unsafe method may block."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            # On the instance: the handler adapts each hook that is not asynchronous.
            setattr(self, "process_view", self.process_view_later)  # noqa: B010

    async def process_view_later(
        self,
        request: HttpRequest,
        callback: Callable[..., Any],
        callback_args: Any,
        callback_kwargs: Any,
    ) -> HttpResponseBase | None:
        process_view = super().process_view
        if request.method in SAFE_METHODS or getattr(callback, "csrf_exempt", False):
            return process_view(request, callback, callback_args, callback_kwargs)
        return await sync_to_async(process_view)(
            request, callback, callback_args, callback_kwargs
        )


def in_place_classes() -> dict[str, type[InPlace]]:
    """The table: Django's dotted paths, and the classes for them that the settings allow."""
    classes: dict[str, type[InPlace]] = {
        "django.middleware.security.SecurityMiddleware": SecurityMiddleware,
        "django.middleware.common.CommonMiddleware": CommonMiddleware,
        "django.middleware.clickjacking.XFrameOptionsMiddleware": XFrameOptionsMiddleware,
        "django.middleware.http.ConditionalGetMiddleware": ConditionalGetMiddleware,
        "django.contrib.auth.middleware.AuthenticationMiddleware": AuthenticationMiddleware,
    }
    if settings.SESSION_ENGINE.startswith(SESSION_ENGINES):
        classes["django.contrib.sessions.middleware.SessionMiddleware"] = (
            SessionMiddleware
        )
    if settings.MESSAGE_STORAGE.startswith(MESSAGE_STORAGES):
        classes["django.contrib.messages.middleware.MessageMiddleware"] = (
            MessageMiddleware
        )
    if not settings.CSRF_USE_SESSIONS:
        classes["django.middleware.csrf.CsrfViewMiddleware"] = CsrfViewMiddleware
    return classes
