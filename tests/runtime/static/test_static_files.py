"""Static files follow HTTP, in the same way under both gateways, and never block."""

import gzip
import http.client
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.conf import settings
from django.templatetags.static import static
from django.test import override_settings

from async_views.runtime.asgi.types import Message, Receive, Scope, Send
from async_views.runtime.handler.security_headers import SECURITY_HEADERS
from async_views.runtime.static.static_files import static_files_asgi, static_files_wsgi
from tests.support.servers import serve_asgi

STYLE = b"body { background: url(picture.svg) }\n" * 50
NOISE = bytes(range(256))
CHANGED = "Fri, 02 Jan 2026 03:04:05 GMT"
CHANGED_SECONDS = 1_767_323_045


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Files:
    """A client of the static files of one gateway."""

    def __init__(self, url: str) -> None:
        self.place = urlsplit(url).netloc

    def get(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """Sends the path without normalizing it."""
        connection = http.client.HTTPConnection(self.place, timeout=60)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            with connection.getresponse() as answer:
                named = {name.lower(): value for name, value in answer.getheaders()}
                return Reply(answer.status, named, answer.read())
        finally:
            connection.close()


@contextmanager
def laid_out(folder: Path, debug: bool = False) -> Iterator[Path]:
    """A folder that has all the static files."""
    for name, content in {
        "site/style.css": STYLE,
        "site/picture.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "site/noise": NOISE,
        "site/empty.txt": b"",
        "site/sp ace é.js": b"void 0",
    }.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (CHANGED_SECONDS, CHANGED_SECONDS))
    with override_settings(
        DEBUG=debug,
        STATICFILES_DIRS=[folder],
        STATICFILES_FINDERS=["django.contrib.staticfiles.finders.FileSystemFinder"],
        # Setting it makes Django forget the storage with the earlier files.
        STORAGES=dict(settings.STORAGES),
    ):
        yield folder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with laid_out(tmp_path) as folder:
        yield folder


async def nothing_else(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"from the site"})


def nothing_else_wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [("Content-Length", "13")])
    return [b"from the site"]


class SilentHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serve_wsgi(application: Any) -> Iterator[str]:
    with make_server(
        "127.0.0.1", 0, application, handler_class=SilentHandler
    ) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def served(gateway: str) -> Iterator[Files]:
    if gateway == "asgi":
        with serve_asgi(static_files_asgi(nothing_else)) as server:
            yield Files(server.url)
    else:
        with serve_wsgi(static_files_wsgi(nothing_else_wsgi)) as url:
            yield Files(url)


@pytest.fixture(scope="module", params=["asgi", "wsgi"])
def files(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Files]:
    with laid_out(tmp_path_factory.mktemp("static")), served(request.param) as files:
        yield files


@pytest.fixture(scope="module", params=["asgi", "wsgi"])
def debugged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Files, Path]]:
    with (
        laid_out(tmp_path_factory.mktemp("static"), debug=True) as folder,
        served(request.param) as files,
    ):
        yield files, folder


def test_a_file_has_its_hash_in_its_url_and_may_be_cached_for_ever(
    files: Files,
) -> None:
    url = static("site/style.css")

    reply = files.get(url)

    assert re.fullmatch(r"/static/site/style\.[0-9a-f]{12}\.css", url)
    assert reply.status == 200
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_hashed_style_sheet_refers_to_hashed_pictures(files: Files) -> None:
    reply = files.get(static("site/style.css"))

    [picture] = set(re.findall(rb'url\("(.+?)"\)', reply.body))
    assert re.fullmatch(rb"picture\.[0-9a-f]{12}\.svg", picture)
    assert files.get(f"/static/site/{picture.decode()}").status == 200


def test_a_plain_name_is_served_too_but_not_cached_for_ever(files: Files) -> None:
    reply = files.get("/static/site/style.css")

    assert reply.status == 200
    assert reply.body == STYLE
    assert reply.headers["cache-control"] == "public, max-age=3600"
    assert reply.headers["content-type"] == "text/css; charset=utf-8"
    assert reply.headers["last-modified"] == CHANGED


def test_every_response_has_the_security_headers(files: Files) -> None:
    url = "/static/site/style.css"
    tag = files.get(url).headers["etag"]
    for reply in (
        files.get(url),
        files.get(url, if_none_match=tag),
        files.get(url, range="bytes=0-1"),
        files.get(url, range="bytes=999999-"),
        files.get(url, "POST"),
    ):
        for name, value in SECURITY_HEADERS.items():
            assert reply.headers[name.lower()] == value, reply.status


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("br;q=1.0, GZIP ; q=0.5", True),
        ("*", True),
        ("deflate, br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("", False),
    ],
)
def test_a_file_is_compressed_for_clients_that_accept_gzip(
    files: Files, accepted: str, compressed: bool
) -> None:
    reply = files.get("/static/site/style.css", accept_encoding=accepted)

    assert reply.headers["vary"] == "accept-encoding"
    assert reply.headers.get("content-encoding") == ("gzip" if compressed else None)
    assert (gzip.decompress(reply.body) if compressed else reply.body) == STYLE
    assert int(reply.headers["content-length"]) == len(reply.body)
    assert len(reply.body) < len(STYLE) / 5 or not compressed


def test_a_file_that_gzip_does_not_make_smaller_is_sent_uncompressed(
    files: Files,
) -> None:
    reply = files.get("/static/site/noise", accept_encoding="gzip")

    assert reply.body == NOISE
    assert reply.headers["content-type"] == "application/octet-stream"
    assert "content-encoding" not in reply.headers
    assert "vary" not in reply.headers


def test_head_has_the_headers_of_get_and_no_body(files: Files) -> None:
    for accepted in ("gzip", "identity"):
        got = files.get("/static/site/style.css", accept_encoding=accepted)
        reply = files.get("/static/site/style.css", "HEAD", accept_encoding=accepted)

        assert reply.status == 200
        assert reply.body == b""
        for name in ("content-length", "etag", "content-type", "cache-control"):
            assert reply.headers[name] == got.headers[name]


def test_a_range_in_a_head_request_is_ignored(files: Files) -> None:
    reply = files.get("/static/site/style.css", "HEAD", range="bytes=0-1")

    assert reply.status == 200
    assert reply.headers["content-length"] == str(len(STYLE))


def test_the_two_codings_have_different_entity_tags(files: Files) -> None:
    plain = files.get("/static/site/style.css")
    zipped = files.get("/static/site/style.css", accept_encoding="gzip")

    assert plain.headers["etag"] != zipped.headers["etag"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_a_client_that_has_the_file_gets_a_304(files: Files, form: str) -> None:
    tag = files.get("/static/site/style.css").headers["etag"]

    reply = files.get("/static/site/style.css", if_none_match=form.format(tag))

    assert reply.status == 304
    assert reply.body == b""
    assert reply.headers["etag"] == tag
    assert "content-type" not in reply.headers
    assert reply.headers["vary"] == "accept-encoding"
    assert "max-age" in reply.headers["cache-control"]


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"if_modified_since": CHANGED}, 304),
        ({"if_modified_since": "Fri, 02 Jan 2026 03:04:04 GMT"}, 200),
        ({"if_modified_since": "yesterday"}, 200),
        ({"if_none_match": '"other"'}, 200),
        ({"if_none_match": '"other"', "if_modified_since": CHANGED}, 200),
    ],
)
def test_a_date_is_used_if_no_entity_tag_is_sent(
    files: Files, conditions: dict[str, str], status: int
) -> None:
    assert files.get("/static/site/style.css", **conditions).status == status


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=10-", slice(10, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=0-999999", slice(0, None)),
        ("bytes=-999999", slice(0, None)),
    ],
)
def test_a_byte_range_is_one_of_the_uncompressed_file(
    files: Files, asked: str, span: slice
) -> None:
    reply = files.get("/static/site/style.css", range=asked, accept_encoding="gzip")

    first, last, _ = span.indices(len(STYLE))
    assert reply.status == 206
    assert reply.body == STYLE[span]
    assert reply.headers["content-range"] == f"bytes {first}-{last - 1}/{len(STYLE)}"
    assert "content-encoding" not in reply.headers


@pytest.mark.parametrize("asked", ["bytes=1900-", "bytes=-0", "bytes=5000-6000"])
def test_a_range_beyond_the_file_gets_a_416_with_its_length(
    files: Files, asked: str
) -> None:
    reply = files.get("/static/site/style.css", range=asked)

    assert reply.status == 416
    assert reply.headers["content-range"] == f"bytes */{len(STYLE)}"
    assert reply.body == b""


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,4-5", "bytes=9-2", "bytes=-", "lines=1-2", f"bytes={'9' * 5000}-"],
)
def test_anything_but_a_single_range_gets_the_whole_file(
    files: Files, asked: str
) -> None:
    reply = files.get("/static/site/style.css", range=asked)

    assert (reply.status, reply.body) == (200, STYLE)


def test_a_range_of_another_version_gets_the_whole_file(files: Files) -> None:
    tag = files.get("/static/site/style.css").headers["etag"]

    same = files.get("/static/site/style.css", range="bytes=0-1", if_range=tag)
    other = files.get("/static/site/style.css", range="bytes=0-1", if_range='"old"')

    assert (same.status, other.status) == (206, 200)


def test_an_empty_file_is_served(files: Files) -> None:
    reply = files.get("/static/site/empty.txt", accept_encoding="gzip")

    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["content-length"] == "0"


def test_a_name_that_has_to_be_quoted_is_served(files: Files) -> None:
    reply = files.get("/static/site/sp%20ace%20%C3%A9.js")

    assert (reply.status, reply.body) == (200, b"void 0")
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"


def test_another_method_gets_a_405_with_the_allowed_ones(files: Files) -> None:
    reply = files.get("/static/site/style.css", "DELETE")

    assert reply.status == 405
    assert reply.headers["allow"] == "GET, HEAD"
    assert b"DELETE is not allowed for files; allowed: GET, HEAD." in reply.body


OUTSIDE = [
    "/static/nothing.css",
    "/static/site",
    "/static/site/",
    "/static/",
    "/static/../outside.css",
    "/static/%2e%2e/outside.css",
    "/static/..%2foutside.css",
    "/static//etc/passwd",
    "/static/site/style.css%00",
    "/elsewhere",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_other_paths_are_passed_on_to_the_site(files: Files, path: str) -> None:
    assert files.get(path).body == b"from the site"


@pytest.mark.parametrize("path", OUTSIDE)
def test_under_debug_other_paths_are_passed_on_to_the_site(
    debugged: tuple[Files, Path], path: str
) -> None:
    files, folder = debugged
    folder.with_name("outside.css").touch()

    assert files.get(path).body == b"from the site"


def test_under_debug_names_are_plain_and_an_edited_file_is_served_at_once(
    debugged: tuple[Files, Path],
) -> None:
    files, folder = debugged
    url = static("site/style.css")
    before = files.get(url)
    (folder / "site" / "style.css").write_bytes(b"edited")

    after = files.get(url, if_none_match=before.headers["etag"])

    assert url == "/static/site/style.css"
    assert before.body == STYLE
    assert (after.status, after.body) == (200, b"edited")
    # Browsers keep it, but check it each time.
    assert after.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("gateway", ["asgi", "wsgi"])
def test_the_disk_is_not_read_after_the_worker_has_started(
    gateway: str, folder: Path
) -> None:
    with served(gateway) as files:
        (folder / "site" / "style.css").unlink()

        for accepted in ("gzip", "identity"):
            reply = files.get("/static/site/style.css", accept_encoding=accepted)
            assert reply.status == 200


def test_a_file_is_served_without_waiting(
    folder: Path,
) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("There is no need to read the request.")

    scope = {"path": "/static/site/style.css", "method": "GET", "headers": []}
    answering: Any = static_files_asgi(nothing_else)(scope, receive, send)

    # Outside any event loop, where anything that waits would be suspended or fail.
    with pytest.raises(StopIteration):
        answering.send(None)

    assert sent[-1]["body"] == STYLE


def test_a_style_sheet_that_names_a_missing_file_stops_the_start(folder: Path) -> None:
    (folder / "site" / "style.css").write_text("body { background: url(gone.png) }")

    with pytest.raises(ValueError, match="gone.png"):
        static_files_asgi(nothing_else)


def test_a_page_that_names_a_missing_file_fails(folder: Path) -> None:
    hashed = static("site/style.css").removeprefix("/static/")
    for missing in ("site/gone.css", hashed):
        with pytest.raises(ValueError, match=re.escape(f"no static file '{missing}'")):
            static(missing)


def test_a_query_of_a_name_is_kept(folder: Path) -> None:
    assert re.fullmatch(
        r"/static/site/picture\.[0-9a-f]{12}\.svg\?v=1#part",
        static("site/picture.svg?v=1#part"),
    )


def test_hidden_files_and_editor_backups_are_not_served(folder: Path) -> None:
    for name in (".secret", "style.css~"):
        (folder / "site" / name).write_text("not for the world")

    with served("asgi") as files:
        assert files.get("/static/site/.secret").status == 404
        assert files.get("/static/site/style.css~").status == 404
