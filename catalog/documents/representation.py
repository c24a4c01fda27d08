"""JSON representations with entity tags, and conditional requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags

from async_views.runtime.handler.header_fields import add, checked

JSON = "application/json"
# Caches have to revalidate each time, which a 304 makes cheap.
REVALIDATE = checked({"Cache-Control": "no-cache"})


@dataclass(frozen=True, slots=True)
class Representation:
    """A JSON document, its strong entity tag (RFC 9110, section 8.8.3) and Link header."""

    body: bytes
    etag: str
    link: str = ""


def represent(document: str, link: str = "") -> Representation:
    body = document.encode()
    return Representation(body, f'"{blake2b(body, digest_size=12).hexdigest()}"', link)


def respond(
    request: HttpRequest, representation: Representation, status: int = 200
) -> HttpResponse:
    """Respond with the document, or with 304 if the client's copy is current."""
    known = request.META.get("HTTP_IF_NONE_MATCH")
    response: HttpResponse
    if known is not None and status == 200 and is_known(known, representation.etag):
        # Given, so that Django does not compute a default; a 304 is sent without it.
        response = HttpResponseNotModified(content_type=JSON)
    else:
        response = HttpResponse(representation.body, JSON, status)
    add(response, {**REVALIDATE, "etag": ("ETag", representation.etag)})
    if representation.link:
        response.headers["Link"] = representation.link
    return response


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether If-None-Match has the tag, by weak comparison (RFC 9110, section 13.1.2)."""
    if if_none_match == etag:
        return True
    given = {each.removeprefix("W/") for each in parse_etags(if_none_match)}
    return etag in given or "*" in given


def is_matched(if_match: str, etag: str) -> bool:
    """Whether If-Match has the tag, by strong comparison (RFC 9110, section 13.1.1)."""
    given = parse_etags(if_match)
    return etag in given or "*" in given


def without_content(status: int, headers: Mapping[str, str]) -> HttpResponse:
    """A response without a body, and so without a Content-Type."""
    response = HttpResponse(status=status, headers=dict(headers))
    del response.headers["Content-Type"]
    return response
