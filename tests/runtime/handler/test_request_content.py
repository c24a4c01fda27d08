import encodings
import io
from collections.abc import Callable

import pytest
from django.http import HttpRequest
from django.test import Client
from pytest_django import Settings

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.handler.request_content import (
    CheckedRequest,
    CheckedWSGIRequest,
)
from async_views.runtime.views.problems import fault_of
from tests.support.growth import assert_grows_no_faster_than_its_input

MULTIPART = "multipart/form-data; boundary=XX"
URLENCODED = "application/x-www-form-urlencoded"


def asgi(content_type: str, body: bytes = b"", query: str = "") -> HttpRequest:
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": query.encode(),
        "headers": [
            (b"content-type", content_type.encode("latin-1")),
            (b"content-length", b"%d" % len(body)),
        ],
    }
    return CheckedRequest(scope, io.BytesIO(body))


def wsgi(content_type: str, body: bytes = b"", query: str = "") -> HttpRequest:
    return CheckedWSGIRequest(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "QUERY_STRING": query,
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
    )


@pytest.fixture(params=[asgi, wsgi], ids=["asgi", "wsgi"])
def request_of(request: pytest.FixtureRequest) -> Callable[..., HttpRequest]:
    made: Callable[..., HttpRequest] = request.param
    return made


def part(head: bytes, body: bytes = b"x") -> bytes:
    return (
        b"--XX\r\nContent-Disposition: form-data; "
        + head
        + b"\r\n\r\n"
        + body
        + b"\r\n"
    )


def refusal(request: HttpRequest) -> Problem:
    with pytest.raises(Problem) as raised:
        request.POST.get("a")
    # The code that reports the problem may read the form again.
    assert not request.POST
    assert not request.FILES
    return raised.value


@pytest.mark.parametrize(
    "charset", ["utf-8", "UTF8", '"utf-8"', "iso-8859-1", "windows-1252", "Shift_JIS"]
)
def test_a_charset_of_the_encoding_standard_is_accepted(
    request_of: Callable[..., HttpRequest], charset: str
) -> None:
    body = part(b'name="a"', b"b") + b"--XX--\r\n"

    request = request_of(f"{MULTIPART}; charset={charset}", body)

    assert fault_of(request) is None
    assert request.POST["a"] == "b"


def test_a_codec_that_is_not_in_the_encoding_standard_is_refused(
    request_of: Callable[..., HttpRequest],
) -> None:
    # All codecs of this version of Python.
    aliases = set(encodings.aliases.aliases.values())
    for codec in (aliases | {"idna", "punycode", "undefined", "nope"}) - {
        name for name in aliases if fault_of(request_of(f"a/b; charset={name}")) is None
    }:
        fault = fault_of(request_of(f"{MULTIPART}; charset={codec}"))

        assert fault is not None
        assert fault.details.status == 415
        assert repr(codec) in fault.details.detail
    for codec in ["zlib", "rot13", "hex", "utf-7", "unicode_escape", "idna", "bz2"]:
        assert fault_of(request_of(f"{URLENCODED}; charset={codec}")) is not None


def test_an_unknown_charset_is_not_cached(
    request_of: Callable[..., HttpRequest],
) -> None:
    known = len(encodings._cache)

    for n in range(20):
        assert fault_of(request_of(f"a/b; charset=nope{n}")) is not None

    assert len(encodings._cache) == known


def test_too_many_files_are_refused(request_of: Callable[..., HttpRequest]) -> None:
    body = part(b'name="a"; filename="f"') * 101 + b"--XX--\r\n"

    details = refusal(request_of(MULTIPART, body)).details

    assert details.status == 400
    assert details.detail == "The form has more than 100 files, the limit here."


def test_too_many_fields_are_refused(request_of: Callable[..., HttpRequest]) -> None:
    said = "The form has more than 1,000 fields, the limit here."

    many = request_of(MULTIPART, part(b'name="a"') * 1003 + b"--XX--\r\n")
    encoded = request_of(URLENCODED, b"&" * 1000)

    assert refusal(many).details.detail == said
    assert refusal(encoded).details.detail == said


def test_a_form_that_is_too_large_is_refused(
    request_of: Callable[..., HttpRequest], settings: Settings
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    assert refusal(request_of(URLENCODED, b"a" * 101)).details.status == 413


def test_many_fields_and_a_charset_do_not_fail_before_the_request_exists(
    request_of: Callable[..., HttpRequest],
) -> None:
    request = request_of("a/b; charset=utf-8", query="&" * 1000)

    fault = fault_of(request)

    assert fault is not None
    assert "query string has more than 1,000 fields" in fault.details.detail


@pytest.mark.parametrize("unit", [";", ';"', "a=b;", '\\";', ";charset=utf-8"])
def test_a_content_type_is_parsed_in_linear_time(unit: str) -> None:
    assert_grows_no_faster_than_its_input(
        lambda size: "a/b;" + unit * (size // len(unit)), asgi, 60_000
    )


@pytest.mark.parametrize("unit", ["&", "a=1&", "%", "%FF", "+", "=", "a=%zz", ";"])
def test_a_query_string_is_parsed_in_linear_time(unit: str) -> None:
    def read(query: str) -> None:
        request = asgi("a/b", query=query)
        if fault_of(request) is None:
            request.GET.get("a")

    assert_grows_no_faster_than_its_input(
        lambda size: unit * (size // len(unit)), read, 64_000
    )


@pytest.mark.parametrize(
    "unit",
    [
        b"--XX\r\n",
        b"--XX\r\n\r\n\r\n",
        b"\r\n--X",
        b"--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n",
        b"y",
        b"\r\n",
    ],
)
def test_a_multipart_body_is_parsed_in_linear_time(unit: bytes) -> None:
    def read(body: bytes) -> None:
        try:
            asgi(MULTIPART, body).POST.get("a")
        except Problem:
            pass

    assert_grows_no_faster_than_its_input(
        lambda size: b"--XX\r\n" + unit * (size // len(unit)) + b"--XX--\r\n",
        read,
        400_000,
    )


def test_a_value_that_the_database_refuses_is_a_bad_request(
    admin_client: Client,
) -> None:
    for query in ["name__contains=%00", "name__regex=("]:
        answer = admin_client.get(f"/admin/catalog/brand/?{query}")

        assert answer.status_code == 400
        assert b"The database does not accept a value" in answer.content
