"""How does the site say that something is wrong?

One shape for every error: a `Problem`. Programs get it as RFC 9457 problem details,
browsers as a page. Whatever answers with a bare error status (no such page, method not
allowed, a failed CSRF check, a crash) gets that shape here too.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from io import BytesIO

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin

from async_views.runtime.asgi_types import Headers, Scope
from async_views.runtime.database import is_unavailable
from async_views.runtime.header_fields import fields_of
from async_views.runtime.middleware_layers import InPlace
from async_views.runtime.negotiation import wants_page
from async_views.runtime.problem_details import (
    PROBLEM_JSON,
    RETRY_AFTER_SECONDS,
    FieldError,
    ProblemDetails,
)

logger = logging.getLogger(__name__)

LONGEST_ECHO = 200


class Problem(Exception):
    """What is wrong, for whom it may concern: raise it, or answer with it."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.details = ProblemDetails(status, detail, errors)
        self.headers = headers or {}


def field_errors(form: Form) -> tuple[FieldError, ...]:
    """Of an invalid form: each bad value, and what would be right."""
    return tuple(
        FieldError(name, str(form.data.get(name, ""))[:LONGEST_ECHO], str(message))
        for name, messages in form.errors.items()
        for message in messages
    )


def bad_request(form: Form) -> Problem:
    errors = field_errors(form)
    detail = " ".join(f"{error.field}: {error.message}" for error in errors)
    return Problem(400, detail, errors)


DETAILS = {
    400: "The request could not be understood.",
    403: "You may not do this.",
    404: "There is nothing at {path}.",
    405: "{method} is not allowed here; allowed: {allow}.",
    413: "The request is too large.",
    500: "The site failed to answer. The failure has been logged.",
    503: "The site cannot answer right now. Try again in a moment.",
}


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as this client reads it best; for answering, where raising would hop."""
    response = described(request, problem.details)
    for name, value in problem.headers.items():
        response.headers[name] = value
    return explained(response)


def described(request: HttpRequest, details: ProblemDetails) -> HttpResponse:
    """The page, or the document."""
    if wants_page(request):
        page = render_to_string("problem.html", {"problem": details}, request)
        return HttpResponse(page, status=details.status)
    return HttpResponse(
        details.document(), status=details.status, content_type=PROBLEM_JSON
    )


def told_before_django(scope: Scope, details: ProblemDetails) -> tuple[Headers, bytes]:
    """The same as ASGI has it, where the request is not to get as far as Django."""
    try:
        request = ASGIRequest(scope, BytesIO())
    except UnicodeDecodeError:
        # It cannot be read, so that nobody knows what the client would like best.
        return details.headers(), details.document()
    response = described(request, details)
    length = b"%d" % len(response.content)
    return [*fields_of(response), (b"content-length", length)], response.content


def explained(response: HttpResponse) -> HttpResponse:
    """Marks an error answer that says what is wrong already."""
    response.explained = True  # type: ignore[attr-defined]
    return response


def unavailable(detail: str) -> Problem:
    return Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    detail = f"The form was not accepted: {reason.rstrip('.')}. Reload the page and send it again."
    return problem_response(request, Problem(403, detail))


class ProblemMiddleware(InPlace, MiddlewareMixin):
    """Gives every error answer the site's shape."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return shaped(request, response)

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        if isinstance(error, Problem):
            return problem_response(request, error)
        if is_unavailable(error):
            cause = error.__cause__ or error
            logger.error("%s: the database does not answer: %s", request.path, cause)
            return problem_response(
                request, unavailable("The database does not answer right now.")
            )
        return None


def shaped(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    status = response.status_code
    if status < 400 or hasattr(response, "explained"):
        return response
    if status == 500 and settings.DEBUG and wants_page(request):
        # Django's technical page says more to the developer than ours would.
        return response
    allow = response.headers.get("Allow", "")
    detail = foreign_host(request) or DETAILS.get(
        status, HTTPStatus(status).phrase + "."
    ).format(path=request.path, method=request.method, allow=allow)
    kept = {
        name: value
        for name, value in response.headers.items()
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}
    }
    answer = problem_response(request, Problem(status, detail, headers=kept))
    answer.cookies = response.cookies
    # Not response.close(), which says that the request is finished, too.
    for close in response._resource_closers:  # type: ignore[attr-defined]
        close()
    return answer


def foreign_host(request: HttpRequest) -> str | None:
    """What is wrong with the Host header, where that is what is wrong."""
    try:
        request.get_host()
    except DisallowedHost:
        host = request.META.get("HTTP_HOST", "")[:LONGEST_ECHO]
        return f"This site does not answer to the host {host!r}: ALLOWED_HOSTS names those it does."
    return None
