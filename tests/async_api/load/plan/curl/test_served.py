"""What a pasted command sends, compared with what curl itself sends."""

import asyncio
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from async_api.load.plan.curl.request import request_of
from async_api.load.plan.document import read_plan
from async_api.load.plan.plan import Request
from tests.async_api.load.plan.curl.commands import BASH, CMD, write_files
from tests.async_api.load.plan.plans import LIMITS, document

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None, reason="compares with curl, which is not installed"
)
# Set by the generator for each request.
FRAMING = {"content-length", "connection", "expect"}
# Where curl puts these does not depend on where the command does.
ANYWHERE = {"authorization", "content-type"}


@dataclass
class Sent:
    line: str
    headers: list[tuple[str, str]]
    body: bytes

    def comparable(self) -> tuple[str, list[tuple[str, str]], object, bytes]:
        """Without the boundary, which is different each time."""
        headers = [(name.lower(), value) for name, value in self.headers]
        kept = [
            # Whether a curl can read others depends on its libraries.
            (name, re.sub("^deflate, gzip, .*", "deflate, gzip", value))
            for name, value in headers
            if name not in FRAMING
        ]
        body = self.body
        if found := re.search(
            r"; boundary=(-+\w+)$", dict(kept).get("content-type", "")
        ):
            kept = [(name, value.replace(found[1], "B")) for name, value in kept]
            body = body.replace(found[1].encode(), b"B")
        return (
            self.line,
            [each for each in kept if each[0] not in ANYWHERE],
            sorted(each for each in kept if each[0] in ANYWHERE),
            body,
        )


async def by_curl(command: str, directory: Path) -> tuple[int, Sent]:
    """The port of a server, and what it received from the command."""
    received: asyncio.Queue[Sent] = asyncio.Queue()

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *fields = head.removesuffix("\r\n\r\n").split("\r\n")
        headers = [(name, value.strip()) for name, _, value in map(split, fields)]
        length = {name.lower(): value for name, value in headers}.get("content-length")
        received.put_nowait(
            Sent(line, headers, await reader.readexactly(int(length or 0)))
        )
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            filled(command, port, directory).removeprefix("$ "),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            # Without the settings of whoever runs the tests.
            env=os.environ | {"CURL_HOME": str(directory), "no_proxy": "*"},
        )
        _, errors = await process.communicate()
        assert not received.empty(), errors.decode()
        return port, await received.get()


def split(field: str) -> tuple[str, str, str]:
    return field.partition(":")


def filled(command: str, port: int, directory: Path) -> str:
    return command.replace("PORT", str(port)).replace("FILES", str(directory))


def by_us(request: Request) -> Sent:
    """The request as HTTP/1.1 writes it, with what curl adds to every request."""
    headers = [(header.name, header.value) for header in request.headers]
    names = {name.lower() for name, _ in headers}
    if "host" not in names:
        headers.insert(0, ("Host", request.target.authority))
    return Sent(
        f"{request.method} {request.target.request_target} HTTP/1.1",
        headers,
        request.body,
    )


def without_defaults(sent: Sent, expected: Sent) -> Sent:
    """Without what curl adds, unless we send such a header too."""
    names = {name.lower() for name, _ in expected.headers}
    host = [each for each in sent.headers if each[0].lower() == "host"]
    rest = [
        (name, value)
        for name, value in sent.headers
        if name.lower() != "host"
        and not (name == "Accept" and value == "*/*" and "accept" not in names)
        and not (name == "User-Agent" and value.startswith("curl/"))
    ]
    return Sent(sent.line, host + rest, sent.body)


def with_host_first(sent: Sent) -> Sent:
    return Sent(
        sent.line,
        sorted(sent.headers, key=lambda field: field[0].lower() != "host"),
        sent.body,
    )


@pytest.mark.parametrize(
    ("command", "same_in_bash"), [*((each, each) for each in BASH), *CMD.items()]
)
async def test_a_pasted_command_sends_what_curl_sends(
    command: str, same_in_bash: str, tmp_path: Path
) -> None:
    write_files(tmp_path)

    port, sent = await by_curl(same_in_bash, tmp_path)
    pasted = request_of(filled(command, port, tmp_path), LIMITS, files=True)
    [request] = read_plan(
        document(requests=[pasted.request]), LIMITS, files=True
    ).requests

    ours = with_host_first(by_us(request))
    assert ours.comparable() == without_defaults(sent, ours).comparable()
