"""What does a client get of something, and how does it know that it has that already?"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags

from async_views.runtime.handler.header_fields import add, checked

JSON = "application/json"
# Which a 304 makes cheap: nothing here is ever older than its request.
ASKED_EACH_TIME = checked({"Cache-Control": "no-cache"})


@dataclass(frozen=True, slots=True)
class Representation:
    """A JSON document, its strong entity tag (RFC 9110, section 8.8.3), its links."""

    body: bytes
    etag: str
    link: str = ""


def represent(document: str, link: str = "") -> Representation:
    body = document.encode()
    return Representation(body, f'"{blake2b(body, digest_size=12).hexdigest()}"', link)


def respond(
    request: HttpRequest, representation: Representation, status: int = 200
) -> HttpResponse:
    """200 with all of it, or 304 where the client has it already."""
    known = request.META.get("HTTP_IF_NONE_MATCH")
    response: HttpResponse
    if known is not None and status == 200 and is_known(known, representation.etag):
        # Of no type either way; said, none is made up.
        response = HttpResponseNotModified(content_type=JSON)
    else:
        response = HttpResponse(representation.body, JSON, status)
    add(response, {**ASKED_EACH_TIME, "etag": ("ETag", representation.etag)})
    if representation.link:
        response.headers["Link"] = representation.link
    return response


def is_known(if_none_match: str, etag: str) -> bool:
    """By weak comparison, as RFC 9110 has it for If-None-Match (section 13.1.2)."""
    if if_none_match == etag:
        return True
    given = {each.removeprefix("W/") for each in parse_etags(if_none_match)}
    return etag in given or "*" in given


def is_matched(if_match: str, etag: str) -> bool:
    """By strong comparison, as RFC 9110 has it for If-Match (section 13.1.1)."""
    given = parse_etags(if_match)
    return etag in given or "*" in given


def without_content(status: int, headers: Mapping[str, str]) -> HttpResponse:
    """An answer of which there is nothing to read, and so no type of it."""
    response = HttpResponse(status=status, headers=dict(headers))
    del response.headers["Content-Type"]
    return response
