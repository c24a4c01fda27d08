"""The site's error responses.

Every error has one shape, a `Problem`: problem details (RFC 9457) for programs, a page for
browsers. A response with a bare error status (not found, method not allowed, a failed CSRF
check, a crash) gets that shape here too.
"""

import logging
from http import HTTPStatus
from io import BytesIO

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin

from async_views.runtime.asgi.problem import Problem, unavailable, wrong_values
from async_views.runtime.asgi.problem_details import (
    PROBLEM_JSON,
    FieldError,
    ProblemDetails,
    shortened,
)
from async_views.runtime.asgi.types import Headers, Scope
from async_views.runtime.handler.closing import resource_closers
from async_views.runtime.handler.header_fields import fields_of
from async_views.runtime.handler.middleware_layers import InPlace
from async_views.runtime.handler.request import LazyRequest
from async_views.runtime.handler.request_content import too_many_fields
from async_views.runtime.postgres.database import is_refused_value, is_unavailable
from async_views.runtime.views.negotiation import wants_page
from async_views.runtime.waiting.coalesce import TooManyWaiting

logger = logging.getLogger(__name__)

DATABASE_UNAVAILABLE = "The database does not respond right now."

# Header fields to ignore in a request that does not reach Django.
UNREAD = frozenset({b"content-type", b"cookie"})


def field_errors(form: Form) -> tuple[FieldError, ...]:
    """The errors of an invalid form: each value, and what would be valid."""
    return tuple(
        FieldError(name, str(form.data.get(name, "")), str(message))
        for name, messages in form.errors.items()
        for message in messages
    )


def bad_request(form: Form) -> Problem:
    return wrong_values(field_errors(form))


DETAILS = {
    400: "The request could not be understood.",
    403: "You are not allowed to do this.",
    404: "There is nothing at {path}.",
    405: "{method} is not allowed here; allowed: {allow}.",
    413: "The request is too large.",
    500: "The site failed to respond. The error has been logged.",
    503: "The site cannot respond right now. Try again in a moment.",
}


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The response with a problem; views return it, as raising would need a thread."""
    response = described(request, problem.details)
    for name, value in problem.headers.items():
        response.headers[name] = value
    return explained(response)


def described(request: HttpRequest, details: ProblemDetails) -> HttpResponse:
    """The page or the document, whichever the client prefers."""
    if wants_page(request):
        page = render_to_string("problem.html", {"problem": details}, request)
        return HttpResponse(page, status=details.status)
    return HttpResponse(
        details.document(), status=details.status, content_type=PROBLEM_JSON
    )


def told_before_django(scope: Scope, details: ProblemDetails) -> tuple[Headers, bytes]:
    """The same in the form of ASGI, for a request that does not reach Django."""
    # The body does not matter any more, and Django parses cookies in quadratic time.
    headers = [field for field in scope["headers"] if field[0] not in UNREAD]
    scope = {**scope, "headers": headers}
    try:
        request = LazyRequest(scope, BytesIO())
    except UnicodeDecodeError:
        request = LazyRequest({**scope, "query_string": b""}, BytesIO())
    response = described(request, details)
    length = b"%d" % len(response.content)
    return [*fields_of(response), (b"content-length", length)], response.content


def explained(response: HttpResponse) -> HttpResponse:
    """Marks an error response that needs no other body."""
    response.explained = True  # type: ignore[attr-defined]
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    detail = f"The form was not accepted: {reason.rstrip('.')}. Reload the page and send it again."
    return problem_response(request, Problem(403, detail))


class ProblemMiddleware(InPlace, MiddlewareMixin):
    """Gives every error response the site's shape, and rejects unreadable requests."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        fault = fault_of(request)
        return None if fault is None else problem_response(request, fault)

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return shaped(request, response)

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        problem = problem_of(request, error)
        return None if problem is None else problem_response(request, problem)


def problem_of(request: HttpRequest, error: Exception) -> Problem | None:
    """The problem that an exception becomes; None if the exception is unexpected."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, TooManyWaiting):
        return unavailable("Too many requests are waiting for the database.")
    if is_unavailable(error):
        cause = error.__cause__ or error
        logger.error("%s: the database does not respond: %s", request.path, cause)
        return unavailable(DATABASE_UNAVAILABLE)
    if is_refused_value(error):
        logger.warning("%s: the database refused a value: %s", request.path, error)
        reason = shortened(" ".join(str(error).split()))
        return Problem(400, f"The database does not accept a value: {reason}.")
    return None


def fault_of(request: HttpRequest) -> Problem | None:
    """What is wrong with the request itself, whatever its path."""
    query = request.META.get("QUERY_STRING")
    if query:
        most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        if most is not None and query.count("&") >= most:
            return Problem(400, too_many_fields("query string"))
    fault: Problem | None = getattr(request, "content_fault", None)
    return fault


def bad_request_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The URLconf's handler400.

    This handler and those below return bare responses for `ProblemMiddleware` to complete.
    Django's own look for a CSRF token, and read the form that may be invalid.
    """
    if isinstance(exception, Problem):
        return problem_response(request, exception)
    return HttpResponse(status=400)


def forbidden_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The URLconf's handler403."""
    return HttpResponse(status=403)


def not_found_view(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The URLconf's handler404."""
    return HttpResponse(status=404)


def failed_view(request: HttpRequest) -> HttpResponse:
    """The URLconf's handler500."""
    return HttpResponse(status=500)


def shaped(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    status = response.status_code
    if status < 400 or hasattr(response, "explained"):
        return response
    if status == 500 and settings.DEBUG and wants_page(request):
        # Django's technical page tells a developer more.
        return response
    allow = response.headers.get("Allow", "")
    detail = foreign_host(request) or DETAILS.get(
        status, HTTPStatus(status).phrase + "."
    ).format(
        path=shortened(request.path),
        method=shortened(request.method or ""),
        allow=allow,
    )
    kept = {
        name: value
        for name, value in response.headers.items()
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}
    }
    answer = problem_response(request, Problem(status, detail, headers=kept))
    answer.cookies = response.cookies
    # Not response.close(), which also sends request_finished.
    for close in resource_closers(response):
        close()
    return answer


def foreign_host(request: HttpRequest) -> str | None:
    """What is wrong with the Host header; None if nothing is."""
    try:
        request.get_host()
    except DisallowedHost:
        host = shortened(request.META.get("HTTP_HOST", ""))
        return f"{host!r} is not a host of this site: ALLOWED_HOSTS names its hosts."
    return None
