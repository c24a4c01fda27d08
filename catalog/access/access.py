"""Who may write? A token's holder, or somebody of the staff in their browser.

Tokens are sent as RFC 6750 has them: `Authorization: Bearer avc_...`.
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
    "Send a token as “Authorization: Bearer avc_…”; it is made in the admin, "
    "under access tokens."
)


# The attribute of a request that says who sent it.
ADMITTED = "catalog_writer"
# Of Sec-Fetch-Site; "none" is what a person typed.
OWN_SITES = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: a name for people who read the log, and one to count by.

    The subject is the same for whatever somebody sends; the name may change.
    """

    name: str
    subject: str


def writer(request: HttpRequest, scope: str, permission: str) -> Writer:
    """Who sent the request, if they may do it; else raises Problem 401 or 403.

    `scope` is what a token needs, such as "products:write", and `permission` what a
    person needs, such as "catalog.add_product". Blocks; to be called where the ORM
    may be, and outside of the transaction that a failed write rolls back.
    """
    if is_anyone(request):
        refuse_other_origins(request)
        subject = address_subject(request)
        return Writer(f"anyone at {subject}", subject)
    if "HTTP_AUTHORIZATION" in request.META:
        return token_holder(request, scope)
    return person(request, permission)


async def admit(request: HttpRequest, scope: str, permission: str) -> None:
    """Finds out who sent the request, for `writer_of`; raises as `writer` does.

    Hops to a thread only where there is something to look up.
    """
    if is_anyone(request):
        who = writer(request, scope, permission)
    else:
        who = await sync_to_async(writer)(request, scope, permission)
    setattr(request, ADMITTED, who)


def writer_of(request: HttpRequest) -> Writer:
    """Who sent a request that was admitted."""
    who: Writer = getattr(request, ADMITTED)
    return who


def is_anyone(request: HttpRequest) -> bool:
    """Whether nobody asks who this is."""
    return (
        settings.CATALOG_WRITE_ACCESS == "anyone"
        and "HTTP_AUTHORIZATION" not in request.META
    )


def refuse_other_origins(request: HttpRequest) -> None:
    """Raises Problem 403 for what a page of another origin has a browser send.

    Where anyone may write, any page that somebody looks at could write in their name.
    Browsers say where a request comes from in Sec-Fetch-Site, older ones in Origin;
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
    """Whether it is the origin of this request's own URL (RFC 6454, section 4)."""
    own = f"{request.scheme}://{request.get_host()}"
    return (
        origin_without_default_port(origin).lower()
        == origin_without_default_port(own).lower()
    )


def presented_token(request: HttpRequest) -> str | None:
    """What was sent as a bearer token, good or bad; None where nothing was."""
    # Not request.headers, which takes longer than all the rest of counting a request.
    authorization = request.META.get("HTTP_AUTHORIZATION")
    if authorization is None:
        return None
    scheme, _, secret = authorization.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def token_holder(request: HttpRequest, scope: str) -> Writer:
    secret = presented_token(request)
    if secret is None:
        raise unauthorized(f"Only tokens are taken as authorization here. {HOW}")
    now = timezone.now()
    token = tokens.find(secret, now)
    if token is None:
        raise unauthorized(
            "The token that was sent is unknown, has ended or was revoked, or its owner's "
            f"account is closed. {HOW}",
            ' error="invalid_token"',
        )
    if scope not in token.scopes:
        raise Problem(
            403,
            f"The token {token.name!r} is not good for {scope}, only for "
            f"{', '.join(token.scopes) or 'nothing'}. Its scopes are set in the admin.",
            headers={
                "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'
            },
        )
    tokens.note_use(token, now)
    return Writer(
        f"token {token.name!r} of {token.owner.get_username()}",
        tokens.subject_of(secret),
    )


def person(request: HttpRequest, permission: str) -> Writer:
    user = request.user
    if not user.is_authenticated:
        raise unauthorized(f"Who writes has to say who they are. {HOW}")
    name = user.get_username()
    if not user.is_staff or not user.has_perm(permission):
        raise Problem(
            403, f"{name} is logged in, and lacks the permission {permission}."
        )
    if is_forged(request):
        raise Problem(
            403,
            f"{name} is logged in, but another site could have sent this. Send the value of "
            f"the cookie {settings.CSRF_COOKIE_NAME} as the header X-CSRFToken, from a page "
            "of this site, or a token in place of the session.",
        )
    return Writer(f"user {name}", f"user {user.pk}")


def is_forged(request: HttpRequest) -> bool:
    """Whether Django's CSRF check fails, from which views of an API are exempt."""

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    check = CsrfViewMiddleware(view)
    check.process_request(request)
    return check.process_view(request, view, (), {}) is not None


def unauthorized(detail: str, parameters: str = "") -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": f"Bearer{parameters}"})
