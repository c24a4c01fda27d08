"""A response passes the checks of its request, or fails the first of them."""

import gzip
import zlib

import pytest

from async_api.load.plan.plan import Checks
from async_api.load.recording import FailedCheck
from async_api.load.wire.checks import MAX_TEXT_BYTES, compile_checks
from async_api.load.wire.head import read_head

HEAD = b"HTTP/1.1 200 OK\r\nX-Present: 1\r\nContent-Length: 6\r\n\r\n"


def failed(checks: Checks, body: bytes = b"needle", head: bytes = HEAD) -> FailedCheck:
    compiled = compile_checks(checks)
    assert compiled is not None
    return FailedCheck(compiled.first_failed(read_head(head), len(body), body))


@pytest.mark.parametrize(
    ("passes", "fails", "kind"),
    [
        (
            Checks(statuses=frozenset({200, 201})),
            Checks(statuses=frozenset({404})),
            FailedCheck.STATUS,
        ),
        (Checks(header="x-PRESENT"), Checks(header="present"), FailedCheck.HEADER),
        (Checks(header="X-Present"), Checks(header="X.Present"), FailedCheck.HEADER),
        (Checks(minimum_bytes=6), Checks(minimum_bytes=7), FailedCheck.SIZE),
        (Checks(maximum_bytes=6), Checks(maximum_bytes=5), FailedCheck.SIZE),
        (Checks(contains="eedl"), Checks(contains="Need"), FailedCheck.CONTAINS),
        (Checks(matches="^n.*e$"), Checks(matches="^e"), FailedCheck.MATCHES),
    ],
)
def test_a_check_passes_and_fails(
    passes: Checks, fails: Checks, kind: FailedCheck
) -> None:
    assert failed(passes) is FailedCheck.NONE
    assert failed(fails) is kind


def test_the_first_failed_check_counts() -> None:
    everything = Checks(
        statuses=frozenset({404}),
        header="Absent",
        minimum_bytes=9,
        contains="x",
        matches="x",
    )

    assert failed(everything) is FailedCheck.STATUS


def test_no_checks_are_none() -> None:
    assert compile_checks(Checks()) is None


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (b"text/plain", "ü".encode()),
        (b"text/plain; charset=ISO-8859-1", b"\xfc"),
        (b'text/plain;a=b; Charset="latin1"', b"\xfc"),
        (b"text/plain; charset=utf-16", "ü".encode("utf-16")),
        (b"text/plain; charset=unheard-of", "\xff ü".encode()),
        # Codecs of Python's that are not charsets.
        (b"text/plain; charset=base64", "ü".encode()),
        (b"text/plain; charset=idna", "ü".encode()),
    ],
)
def test_text_is_decoded_by_its_charset(content_type: bytes, body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n\r\n" % content_type

    assert failed(Checks(contains="ü"), body, head) is FailedCheck.NONE


def test_bytes_that_are_no_text_do_not_hide_the_rest() -> None:
    assert failed(Checks(contains="needle"), b"\xff\xfeneedle") is FailedCheck.NONE


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", gzip.compress(b"a needle", mtime=0)),
        (b"X-GZIP", gzip.compress(b"a needle", mtime=0)[:-8]),
        (b"deflate", zlib.compress(b"a needle")),
        (b"gzip", b"a needle that is not compressed"),
        (b"br", b"a needle that is not decompressed"),
    ],
)
def test_a_compressed_body_is_searched_decompressed(coding: bytes, body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\n\r\n" % coding

    assert failed(Checks(contains="needle"), body, head) is FailedCheck.NONE


def test_a_body_that_grows_without_end_is_decompressed_to_a_limit() -> None:
    body = gzip.compress(bytes(MAX_TEXT_BYTES) + b"needle")
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"

    assert failed(Checks(contains="needle"), body, head) is FailedCheck.CONTAINS
