"""Bodies pass unchanged in both directions, and their files are closed."""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from pytest_django import Settings

from async_views.runtime.handler.asgi_handler import Handler
from tests.support.exchanges import Exchange, get
from tests.support.replaceable_views import views
from tests.support.servers import serve_asgi

pytestmark = [
    pytest.mark.urls("tests.support.replaceable_views"),
    pytest.mark.usefixtures("bare"),
]


async def test_an_asynchronous_iterator_is_sent_in_pieces() -> None:
    go_on = asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        await go_on.wait()
        yield b"two"

    async def stream(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(parts())

    views["async"] = stream
    exchange = Exchange(Handler())
    exchange.tell("request")
    sent = [await exchange.next() for _ in range(2)]
    go_on.set()
    sent += [await exchange.next() for _ in range(2)]
    await exchange.end()

    assert [message.get("body", b"") for message in sent] == [b"", b"one", b"two", b""]


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
async def test_a_synchronous_iterator_is_sent_whole() -> None:
    def stream(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(b"%d," % number for number in range(5))

    views["sync"] = stream
    answer = await get(Handler(), "/sync/")

    assert answer.content == b"0,1,2,3,4,"


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
async def test_a_file_is_sent_whole_and_closed(tmp_path: Path) -> None:
    source = tmp_path / "large.bin"
    source.write_bytes(os.urandom(300_000))
    opened: list[Any] = []

    async def send_file(request: HttpRequest) -> FileResponse:
        opened.append(source.open("rb"))
        return FileResponse(opened[0])

    views["async"] = send_file
    answer = await get(Handler())

    assert answer.content == source.read_bytes()
    assert answer["Content-Length"] == "300000"
    assert opened[0].closed


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_the_file_of_a_large_upload_is_removed_after_the_response(
    kind: str, settings: Settings
) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10_000
    paths: list[Path] = []

    def measure(request: HttpRequest) -> HttpResponse:
        upload = request.FILES["upload"]
        paths.append(Path(upload.temporary_file_path()))  # type: ignore[union-attr]
        return HttpResponse(f"{paths[0].stat().st_size} {paths[0].exists()}")

    async def measure_later(request: HttpRequest) -> HttpResponse:
        return measure(request)

    views.update({"sync": measure, "async": measure_later})
    with serve_asgi(Handler()) as server:
        form = aiohttp.FormData()
        form.add_field("upload", io.BytesIO(bytes(2_000_000)), filename="large.bin")
        async with (
            aiohttp.ClientSession(server.url) as session,
            session.post(f"/{kind}/", data=form) as response,
        ):
            answer = await response.text()

    assert answer == "2000000 True"
    assert not paths[0].exists()


async def test_a_body_in_several_parts_reaches_the_view_whole() -> None:
    async def echo(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.body)

    views["async"] = echo
    exchange = Exchange(Handler(), method="POST")
    # An empty part is not the end of the body.
    for body in (b"", b"one ", b"two"):
        more = body != b"two"
        exchange.tell("request", body=body, more_body=more)
    await exchange.next()
    message = await exchange.next()
    await exchange.end()

    assert message["body"] == b"one two"
