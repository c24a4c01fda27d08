"""Access control of writes: by a token, or by the session of a staff user.

Tokens are sent as in RFC 6750: `Authorization: Bearer avc_...`.
"""

from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone

from async_views.runtime.asgi.forwarded import origin_without_default_port
from async_views.runtime.asgi.problem import Problem
from async_views.runtime.configuration.trusted_origins import is_trusted
from async_views.runtime.views.rate_limit import address_subject
from catalog.access import tokens

HOW = (
    "Send a token as “Authorization: Bearer avc_…”. Tokens are created in the admin, "
    "under access tokens."
)


# The attribute of a request that holds its Writer.
ADMITTED = "catalog_writer"
# Values of Sec-Fetch-Site; "none" is for a URL that the user typed.
OWN_SITES = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True)
class Writer:
    """The sender of a write: a name for logs, and a subject to count by.

    The subject is the same for all requests of one sender; the name may change.
    """

    name: str
    subject: str


def writer(request: HttpRequest, scope: str, permission: str) -> Writer:
    """The sender of the request. Raises Problem 401 or 403 if they may not do this.

    `scope` is what a token needs, such as "products:write", and `permission` what a
    user needs, such as "catalog.add_product". Blocks, like all code that uses the ORM.
    To be called outside of the transaction that a failed write rolls back.
    """
    if is_anyone(request):
        refuse_other_origins(request)
        subject = address_subject(request)
        return Writer(f"anyone at {subject}", subject)
    if "HTTP_AUTHORIZATION" in request.META:
        return token_holder(request, scope)
    return staff_user(request, permission)


async def admit(request: HttpRequest, scope: str, permission: str) -> None:
    """Determine the sender of the request, for `writer_of`. Raises like `writer`.

    Uses a thread only if there is something to look up.
    """
    if is_anyone(request):
        sender = writer(request, scope, permission)
    else:
        sender = await sync_to_async(writer)(request, scope, permission)
    setattr(request, ADMITTED, sender)


def writer_of(request: HttpRequest) -> Writer:
    """The sender of a request that was admitted."""
    sender: Writer = getattr(request, ADMITTED)
    return sender


def is_anyone(request: HttpRequest) -> bool:
    """Whether the request needs no authentication."""
    return (
        settings.CATALOG_WRITE_ACCESS == "anyone"
        and "HTTP_AUTHORIZATION" not in request.META
    )


def refuse_other_origins(request: HttpRequest) -> None:
    """Raises Problem 403 for a request that a page of another origin made a browser send.

    Where anyone may write, any page that a user visits could write on their behalf.
    Browsers send the origin of a request in Sec-Fetch-Site, older ones in Origin, and
    programs send neither.
    https://www.w3.org/TR/fetch-metadata/
    """
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None and is_trusted(origin):
        return
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        is_ours = site in OWN_SITES
    else:
        is_ours = origin is None or is_own_origin(request, origin)
    if not is_ours:
        raise Problem(
            403,
            "A page of another origin may not write here. List its origin in "
            "CSRF_TRUSTED_ORIGINS, or send a token.",
        )


def is_own_origin(request: HttpRequest, origin: str) -> bool:
    """Whether this is the origin of the request's own URL (RFC 6454, section 4)."""
    own = f"{request.scheme}://{request.get_host()}"
    return (
        origin_without_default_port(origin).lower()
        == origin_without_default_port(own).lower()
    )


def presented_token(request: HttpRequest) -> str | None:
    """The bearer token that was sent, valid or not; None without one."""
    # request.headers would take longer than all the rest of counting a request.
    authorization = request.META.get("HTTP_AUTHORIZATION")
    if authorization is None:
        return None
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def token_holder(request: HttpRequest, scope: str) -> Writer:
    secret = presented_token(request)
    if secret is None:
        raise unauthorized(f"Only bearer tokens are accepted here. {HOW}")
    now = timezone.now()
    token = tokens.find(secret, now)
    if token is None:
        raise unauthorized(
            "The token is unknown, has expired or was revoked, or its owner's account is "
            f"closed. {HOW}",
            ' error="invalid_token"',
        )
    if scope not in token.scopes:
        raise Problem(
            403,
            f"The token {token.name!r} lacks the scope {scope}; it has "
            f"{', '.join(token.scopes) or 'none'}. Its scopes are set in the admin.",
            headers={
                "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'
            },
        )
    tokens.note_use(token, now)
    return Writer(
        f"token {token.name!r} of {token.owner.get_username()}",
        tokens.subject_of(secret),
    )


def staff_user(request: HttpRequest, permission: str) -> Writer:
    user = request.user
    if not user.is_authenticated:
        raise unauthorized(f"Writing requires authentication. {HOW}")
    name = user.get_username()
    if not user.is_staff or not user.has_perm(permission):
        raise Problem(
            403, f"{name} is logged in, but lacks the permission {permission}."
        )
    if is_forged(request):
        raise Problem(
            403,
            f"{name} is logged in, but another site could have sent this request. Send the "
            f"value of the cookie {settings.CSRF_COOKIE_NAME} as the header X-CSRFToken, from "
            "a page of this site, or send a token instead of the session.",
        )
    return Writer(f"user {name}", f"user {user.pk}")


def is_forged(request: HttpRequest) -> bool:
    """Whether Django's CSRF check fails. Its middleware exempts the views of the API."""

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    check = CsrfViewMiddleware(view)
    check.process_request(request)
    return check.process_view(request, view, (), {}) is not None


def unauthorized(detail: str, parameters: str = "") -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": f"Bearer{parameters}"})
