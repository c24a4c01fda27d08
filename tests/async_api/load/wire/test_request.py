"""A request is rendered with what it needs, and with nothing that it has."""

from async_api.load.plan.plan import Checks, Header, Request
from async_api.load.wire.request import render
from async_api.outbound.targets import parse_target


def rendered(
    url: str = "http://target.example:81/a?b=c",
    method: str = "GET",
    headers: tuple[Header, ...] = (),
    body: bytes = b"",
    keep_alive: bool = True,
) -> bytes:
    request = Request(
        target=parse_target(url),
        name="only",
        method=method,
        headers=headers,
        body=body,
    )
    return render(request, 0, keep_alive=keep_alive).data


def test_a_request_has_the_headers_that_every_request_needs() -> None:
    assert rendered() == (
        b"GET /a?b=c HTTP/1.1\r\n"
        b"Host: target.example:81\r\n"
        b"User-Agent: async_views load\r\n"
        b"Accept: */*\r\n"
        b"Accept-Encoding: identity\r\n"
        b"\r\n"
    )


def test_given_headers_keep_their_order_and_repeats_and_replace_the_defaults() -> None:
    headers = (
        Header("accept", "text/html"),
        Header("X", "1"),
        Header("USER-AGENT", "mine"),
        Header("X", "ü"),
        Header("host", "other.example"),
        Header("Accept-Encoding", "gzip"),
    )

    assert rendered(headers=headers).decode() == (
        "GET /a?b=c HTTP/1.1\r\n"
        "accept: text/html\r\nX: 1\r\nUSER-AGENT: mine\r\nX: ü\r\n"
        "host: other.example\r\nAccept-Encoding: gzip\r\n"
        "\r\n"
    )


def test_a_body_is_sent_as_it_is_with_its_length() -> None:
    data = rendered(method="POST", body=b"\x00\r\n\xff")

    assert data.endswith(b"\r\nContent-Length: 4\r\n\r\n\x00\r\n\xff")


def test_an_empty_body_is_announced_where_one_is_expected() -> None:
    assert b"\r\nContent-Length: 0\r\n" in rendered(method="PUT")
    assert b"Content-Length" not in rendered(method="DELETE")


def test_a_connection_for_one_request_says_so() -> None:
    assert b"\r\nConnection: close\r\n" in rendered(keep_alive=False)


def test_the_index_and_the_checks_are_those_of_the_plans_request() -> None:
    target = parse_target("http://target.example/")
    request = Request(target=target, name="x", method="HEAD", checks=Checks(header="X"))

    result = render(request, 3, keep_alive=True)

    assert result.index == 3
    assert result.head_only
    assert result.checks is not None
    assert render(Request(target=target, name="x"), 0, keep_alive=True).checks is None
