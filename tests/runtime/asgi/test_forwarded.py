"""The client's address and scheme behind proxies."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from async_views.runtime.asgi.forwarded import (
    Forwarded,
    Proxies,
    forwarded_wsgi,
    host_and_port,
    origin_without_default_port,
    without_default_port,
)
from async_views.runtime.asgi.types import Receive, Scope, Send
from async_views.runtime.server.http_protocol import DeadlineHttpProtocol
from tests.support.servers import Served, serve_asgi

TRUSTED = ("127.0.0.1", "10.0.0.0/8", "2001:db8::/32")


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    fields = dict(scope["headers"])
    seen = [scope["scheme"], scope["client"][0], fields[b"host"].decode()]
    seen.append(fields.get(b"origin", b"-").decode())
    body = " ".join(seen).encode()
    headers = [(b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    application = Forwarded(echo, TRUSTED)
    with serve_asgi(
        application, http=DeadlineHttpProtocol, proxy_headers=False
    ) as served:
        yield served


Forward = Callable[..., list[str]]


@pytest.fixture(params=["asgi", "wsgi"])
def forward(request: pytest.FixtureRequest, server: Served) -> Forward:
    """The scheme, client, host and origin that the application sees."""

    def over_asgi(*fields: str, host: str = "site") -> list[str]:
        lines = ["GET / HTTP/1.1", f"Host: {host}", *fields, "", ""]
        with socket.create_connection((server.host, server.port), timeout=60) as client:
            client.sendall("\r\n".join(lines).encode("latin-1"))
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        return answer.rpartition(b"\r\n\r\n")[2].decode().split(" ")

    def over_wsgi(*fields: str, host: str = "site") -> list[str]:
        environ = {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": host,
            "wsgi.url_scheme": "http",
        }
        for field in fields:
            name, _, value = field.partition(":")
            key = f"HTTP_{name.upper().replace('-', '_')}"
            environ[key] = ",".join(filter(None, [environ.get(key), value.strip()]))

        def application(environ: dict[str, Any], start_response: object) -> list[str]:
            names = ("wsgi.url_scheme", "REMOTE_ADDR", "HTTP_HOST", "HTTP_ORIGIN")
            return [environ.get(name, "-") for name in names]

        answer: list[str] = forwarded_wsgi(application, TRUSTED)(
            environ, lambda *_: None
        )
        return answer

    return over_asgi if request.param == "asgi" else over_wsgi


@pytest.mark.parametrize(
    ("fields", "scheme"),
    [
        ([], "http"),
        (["X-Forwarded-Proto: https"], "https"),
        (["X-Forwarded-Proto: HTTPS"], "https"),
        (["X-Forwarded-Proto: https "], "https"),
        (["X-Forwarded-Proto: wss"], "https"),
        (["X-Forwarded-Proto: https, https"], "https"),
        (["X-Forwarded-Proto: https,http"], "https"),
        (["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"], "https"),
        (["X-Forwarded-Proto: http, https"], "http"),
        (["X-Forwarded-Proto: ,, https,"], "https"),
        (["X-Forwarded-Proto:"], "http"),
        (["X-Forwarded-Proto: ftp"], "http"),
        # The client, then its proxy, as reported by the next proxy.
        (["X-Forwarded-For: 192.0.2.7, 10.0.0.1", "X-Forwarded-Proto: https,http"], "https"),
        (["X-Forwarded-For: 192.0.2.7, 10.0.0.1", "X-Forwarded-Proto: http,https"], "http"),
        (["X-Forwarded-For: 192.0.2.7, 10.0.0.1", "X-Forwarded-Proto: https"], "https"),
        # Everything left of the first untrusted one was made up by the client.
        (["X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https, http"], "http"),
        (["X-Forwarded-For: 10.0.0.9, 192.0.2.7", "X-Forwarded-Proto: https,http"], "http"),
        (["X-Forwarded-For: 10.0.0.2, 10.0.0.1", "X-Forwarded-Proto: https,http"], "https"),
    ],
)  # fmt: skip
def test_the_scheme_is_the_one_reported_by_the_outermost_trusted_proxy(
    forward: Forward, fields: list[str], scheme: str
) -> None:
    assert forward(*fields)[0] == scheme


@pytest.mark.parametrize(
    ("fields", "client"),
    [
        (["X-Forwarded-For: 192.0.2.7"], "192.0.2.7"),
        (["X-Forwarded-For: 192.0.2.8, 192.0.2.7"], "192.0.2.7"),
        (["X-Forwarded-For: 192.0.2.7,\t10.0.0.1 ,"], "192.0.2.7"),
        (["X-Forwarded-For: 192.0.2.7", "X-Forwarded-For: 10.0.0.1"], "192.0.2.7"),
        (["X-Forwarded-For: 192.0.2.7:4711"], "192.0.2.7"),
        (["X-Forwarded-For: [2001:db9::7]:4711, 2001:db8::1"], "2001:db9::7"),
        (["X-Forwarded-For: ::ffff:10.0.0.1"], "::ffff:10.0.0.1"),
        (["X-Forwarded-For: 192.0.2.7, ::ffff:10.0.0.1"], "192.0.2.7"),
        (["X-Forwarded-For: 10.0.0.2, 10.0.0.1"], "10.0.0.2"),
        (["X-Forwarded-For: unknown"], "unknown"),
        (["X-Forwarded-For: ,"], "127.0.0.1"),
    ],
)
def test_the_client_is_the_first_address_that_is_not_a_trusted_proxy(
    forward: Forward, fields: list[str], client: str
) -> None:
    assert forward(*fields)[1] == client


async def test_header_fields_of_an_untrusted_client_are_ignored() -> None:
    scopes = []

    async def keep(scope: Scope, receive: Any, send: Any) -> None:
        scopes.append(scope)

    headers = [(b"x-forwarded-for", b"192.0.2.9"), (b"x-forwarded-proto", b"https")]
    for client in (("192.0.2.7", 1), None):
        scope = {"type": "http", "scheme": "http", "client": client, "headers": headers}
        await Forwarded(keep, TRUSTED)(scope, None, None)  # type: ignore[arg-type]

    assert [each["scheme"] for each in scopes] == ["http", "http"]
    assert [each["client"] for each in scopes] == [("192.0.2.7", 1), None]


async def test_a_request_without_a_host_is_accepted() -> None:
    seen: Scope = {}

    async def keep(scope: Scope, receive: Any, send: Any) -> None:
        seen.update(scope)

    scope = {
        "type": "http",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "headers": [(b"x-forwarded-proto", b"https")],
    }
    await Forwarded(keep, TRUSTED)(scope, None, None)  # type: ignore[arg-type]

    assert seen["scheme"] == "https"


@pytest.mark.parametrize(
    ("host", "scheme", "expected"),
    [
        ("site:80", "http", "site"),
        ("site:443", "https", "site"),
        ("site:0443", "https", "site"),
        ("site:", "https", "site"),
        ("[::1]:443", "https", "[::1]"),
        ("[::80]", "http", "[::80]"),
        ("site:443", "http", "site:443"),
        ("site:80", "https", "site:80"),
        ("site:8000", "http", "site:8000"),
    ],
)
def test_a_default_port_is_removed(
    forward: Forward, host: str, scheme: str, expected: str
) -> None:
    origin = f"Origin: {scheme}://{host}"

    answer = forward(f"X-Forwarded-Proto: {scheme}", origin, host=host)

    assert answer[2:] == [expected, f"{scheme}://{expected}"]


def test_an_origin_without_a_default_port_is_unchanged(forward: Forward) -> None:
    assert forward("Origin: null")[3] == "null"
    assert origin_without_default_port("chrome-extension://a:80") == (
        "chrome-extension://a:80"
    )
    assert without_default_port("site", "http") == "site"


def test_an_address_without_a_valid_port_is_not_an_address() -> None:
    assert host_and_port("192.0.2.7:x") == ("192.0.2.7:x", 0)
    assert host_and_port("[2001:db8::7") == ("2001:db8::7", 0)
    assert host_and_port("1.2.3.4:" + "9" * 5000)[1] == 0
    assert "x" * 300 not in Proxies(TRUSTED)
