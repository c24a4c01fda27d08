"""A URL that was pasted into a query string as it is, so that it ends at its first &.

In `?url=http://h/a?b=c&d=e` the parameter d is the probe's, not the target's. What was
likely meant has that & percent-encoded (RFC 3986, section 2.2).
"""

from collections.abc import Collection
from urllib.parse import unquote_plus, urlencode

from django.http import HttpRequest

from async_api.outbound.targets import InvalidTarget, parse_target
from async_views.runtime.asgi.problem_details import FieldError
from async_views.runtime.views.gateway import gateway
from async_views.runtime.views.known_parameters import (
    Repair,
    given_once,
    left_out,
    pairs_of,
    renamed,
)


def whole_url(
    request: HttpRequest, known: Collection[str]
) -> tuple[str, list[str]] | None:
    """The URL with what follows it up to the next known parameter, and those names.

    None where nothing unknown follows, or where the whole is not a URL to probe.
    """
    segments = query_of(request).split("&")
    names = [unquote_plus(segment.partition("=")[0]) for segment in segments]
    if "url" not in names:
        return None
    first = names.index("url")
    end = first + 1
    value = segments[first].partition("=")[2]
    # What was encoded is decoded; what was pasted means what it says.
    url = value if "://" in value else unquote_plus(value)
    # A target with a query may have a parameter called url itself.
    not_of_it = {*known} - {"url"} if "?" in url else known
    while end < len(names) and names[end] not in not_of_it:
        end += 1
    whole = "&".join([url, *segments[first + 1 : end]])
    try:
        parse_target(whole)
    except InvalidTarget:
        return None
    following = list(dict.fromkeys(names[first + 1 : end]))
    return (whole, following) if following else None


def with_the_way_to_write_it(
    errors: list[FieldError], request: HttpRequest, known: Collection[str]
) -> list[FieldError]:
    """The errors, those of parameters that may be part of the URL with how to say so."""
    found = whole_url(request, known)
    if found is None:
        return errors
    whole, names = found
    hint = f"If it is part of the URL, write its & as %26: {urlencode({'url': whole})}"
    return [
        FieldError(error.field, error.value, f"{error.message} {hint}")
        if error.field in names
        else error
        for error in errors
    ]


def url_repairs(request: HttpRequest, known: Collection[str]) -> list[Repair]:
    """The questions that were likely meant, the likeliest first."""
    given = request.GET
    others = [*left_out(given, known), *given_once(given, known)]
    found = whole_url(request, known)
    if found is None:
        return [*renamed(given, known), *others]
    whole, names = found
    rest = [
        (name, value)
        for name, value in pairs_of(given)
        if name != "url" and name not in names
    ]
    joined = Repair(f"Probe {whole}", urlencode([("url", whole), *rest]))
    if "?" in whole:
        return [joined, *renamed(given, known), *others]
    return [*renamed(given, known), joined, *others]


def query_of(request: HttpRequest) -> str:
    """The query string as it was sent; WSGI has its bytes as Latin-1 (PEP 3333)."""
    query: str = request.META["QUERY_STRING"]
    if gateway(request) == "WSGI":
        return query.encode("latin-1", "replace").decode("utf-8", "replace")
    return query
