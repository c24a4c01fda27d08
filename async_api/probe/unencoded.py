"""URLs that were pasted into a query string unencoded, and so end at their first &.

In `?url=http://h/a?b=c&d=e` the parameter d belongs to the probe, not to the target. The
user probably meant an & that is percent-encoded (RFC 3986, section 2.2).
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
    """The URL joined with the unknown parameters after it, and their names.

    None if no unknown parameter follows, or if the result is not a valid target.
    """
    segments = query_of(request).split("&")
    names = [unquote_plus(segment.partition("=")[0]) for segment in segments]
    if "url" not in names:
        return None
    first = names.index("url")
    end = first + 1
    value = segments[first].partition("=")[2]
    # An encoded URL is decoded; a pasted one is taken literally.
    url = value if "://" in value else unquote_plus(value)
    # A target with a query may itself have a parameter called url.
    ends_it = {*known} - {"url"} if "?" in url else known
    while end < len(names) and names[end] not in ends_it:
        end += 1
    whole = "&".join([url, *segments[first + 1 : end]])
    try:
        parse_target(whole)
    except InvalidTarget:
        return None
    following = list(dict.fromkeys(names[first + 1 : end]))
    return (whole, following) if following else None


def with_encoding_hint(
    errors: list[FieldError], request: HttpRequest, known: Collection[str]
) -> list[FieldError]:
    """The errors; parameters that may be part of the URL get a hint to encode them."""
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
    """Likely intended queries, the likeliest first."""
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
    """The query string as sent; WSGI passes its bytes as Latin-1 (PEP 3333)."""
    query: str = request.META["QUERY_STRING"]
    if gateway(request) == "WSGI":
        return query.encode("latin-1", "replace").decode("utf-8", "replace")
    return query
