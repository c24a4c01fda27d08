import logging
from typing import Any

import pytest

from async_views.runtime.asgi.access_log import AccessLog
from async_views.runtime.asgi.types import Message, Receive, Scope, Send

SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "GET",
    "raw_path": b"/caf%C3%A9",
    "query_string": b"a=1",
    "http_version": "1.1",
    "client": ("192.0.2.7", 1234),
}


async def line_of(
    application: Any, caplog: pytest.LogCaptureFixture, **scope: Any
) -> str:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pass

    # gunicorn's logger does not propagate to other handlers, such as caplog's.
    access = logging.getLogger("gunicorn.access")
    access.addHandler(caplog.handler)
    try:
        with caplog.at_level(logging.INFO, "gunicorn.access"):
            await AccessLog(application)(SCOPE | scope, receive, send)
    finally:
        access.removeHandler(caplog.handler)
    return caplog.records[0].getMessage() if caplog.records else ""


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b"hel", "more_body": True})
    await send({"type": "http.response.body", "body": b"lo"})


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    pass


async def test_a_line_has_the_client_request_status_size_and_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    line = await line_of(hello, caplog)

    assert '192.0.2.7 "GET /caf%C3%A9?a=1 HTTP/1.1" 201 5 B ' in line
    assert line.endswith(" ms")


async def test_a_request_without_a_response_is_logged_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert '" - 0 B ' in await line_of(silent, caplog, client=None)


async def test_a_client_cannot_forge_a_line(caplog: pytest.LogCaptureFixture) -> None:
    line = await line_of(hello, caplog, raw_path=b"/a\r\nfake\x1b[31m\xff")

    assert "\n" not in line
    assert "\x1b" not in line
    assert r"/a\x0d\x0afake\x1b[31m\xff" in line


async def test_only_http_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert await line_of(silent, caplog, type="lifespan") == ""
