"""The cost of a request's header fields grows linearly.

Together they may have 64 KiB, and they are parsed on the event loop before the client is
authenticated.
"""

from collections.abc import Callable
from functools import partial
from io import BytesIO

import pytest

from async_views.runtime.asgi.forwarded import Forwarded
from async_views.runtime.handler.request_content import CheckedRequest
from async_views.runtime.server.request_head import fault_in, offers_websocket
from async_views.runtime.static.memory_file import accepts_gzip
from async_views.runtime.views.negotiation import wishes
from tests.support.growth import assert_grows_no_faster_than_its_input


def request_with(name: bytes, value: str) -> CheckedRequest:
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "scheme": "http",
        "client": ("127.0.0.1", 4711),
        "headers": [(name, value.encode("latin-1"))],
    }
    forwarded.settle(scope)
    return CheckedRequest(scope, BytesIO())


async def nowhere(*_: object) -> None:
    pass


forwarded = Forwarded(nowhere, ["127.0.0.1", "10.0.0.0/8"])


def repeated(pattern: str, size: int) -> str:
    return pattern * (size // len(pattern))


READERS: dict[str, Callable[[str], object]] = {
    "cookie": lambda value: request_with(b"cookie", f'c="{value}"').COOKIES,
    "cookies": lambda value: request_with(b"cookie", value).COOKIES,
    "content type": lambda value: request_with(b"content-type", value),
    "its parameter": lambda value: request_with(b"content-type", f'a/b; c="{value}'),
    "accept": lambda value: wishes(value, ["text/html", "application/json"]),
    "accept-encoding": accepts_gzip,
    "forwarded for": lambda value: request_with(b"x-forwarded-for", value),
    "forwarded proto": lambda value: request_with(b"x-forwarded-proto", value),
    "origin": lambda value: request_with(b"origin", f"https://{value}"),
    "host": lambda value: fault_in("1.1", b"GET", b"/", [(b"host", value.encode())]),
    "target": lambda value: fault_in(
        "1.1", b"GET", b"http://" + value.encode(), [(b"host", b"site")]
    ),
    "transfer encoding": lambda value: fault_in(
        "1.1",
        b"GET",
        b"/",
        [(b"host", b"site"), (b"transfer-encoding", value.encode())],
    ),
    "upgrade": lambda value: offers_websocket(
        "1.1", [(b"connection", b"upgrade"), (b"upgrade", value.encode())]
    ),
}
PATTERNS = [
    "a", "a,", "a;", ";", ",", " ", '"', '\\', '\\"', '"\\', '";', '",', "a=b;", "a*0=b;",
    "10.0.0.1,", "1", "::", "[", ":", "%41", "a/b;q=0.1,", "text/html;q=0,", "\\0", "\\061",
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
def test_a_field_takes_linear_time(reader: str) -> None:
    for pattern in PATTERNS:
        assert_grows_no_faster_than_its_input(
            partial(repeated, pattern),
            READERS[reader],
            64 * 1024,
        )


@pytest.mark.parametrize(
    ("field", "media_type", "parameters"),
    [
        ("text/html; charset=utf-8", "text/html", {"charset": "utf-8"}),
        ("Text/HTML; a=" + "b" * 2000, "text/html", {}),
        ("text/html; a*=nonsense''b", "text/html", {}),
        ("", "", {}),
    ],
)
def test_the_valid_part_of_a_content_type_is_read(
    field: str, media_type: str, parameters: dict[str, str]
) -> None:
    request = request_with(b"content-type", field)

    assert (request.content_type, request.content_params) == (media_type, parameters)
