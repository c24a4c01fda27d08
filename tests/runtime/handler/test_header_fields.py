"""A response gets the fields that it lacks, and keeps those that it has."""

import pytest
from django.http import HttpResponse
from django.http.response import BadHeaderError

from async_views.runtime.handler.header_fields import (
    add,
    add_missing,
    checked,
    fields_of,
)

NEVER_FRAMED = checked({"X-Frame-Options": "DENY"})


def test_missing_fields_are_added() -> None:
    response = HttpResponse(headers={"Content-Type": "text/plain"})

    add_missing(response, NEVER_FRAMED)

    assert dict(response.headers) == {
        "Content-Type": "text/plain",
        "X-Frame-Options": "DENY",
    }


@pytest.mark.parametrize("name", ["X-Frame-Options", "x-frame-options"])
def test_fields_of_the_response_stay(name: str) -> None:
    response = HttpResponse(headers={name: "SAMEORIGIN"})

    add_missing(response, NEVER_FRAMED)

    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"


def test_added_fields_replace_existing_ones() -> None:
    response = HttpResponse(headers={"x-frame-options": "SAMEORIGIN"})

    add(response, NEVER_FRAMED)

    assert [value for name, value in fields_of(response)][:1] == [b"DENY"]
    assert len(fields_of(response)) == 2


def test_changing_one_response_does_not_change_another() -> None:
    first, second = HttpResponse(), HttpResponse()
    for response in (first, second):
        add(response, NEVER_FRAMED)

    first.headers["X-Frame-Options"] = "SAMEORIGIN"
    del first.headers["X-Frame-Options"]

    assert second.headers["X-Frame-Options"] == "DENY"
    assert NEVER_FRAMED["x-frame-options"] == ("X-Frame-Options", "DENY")


@pytest.mark.parametrize("value", ["DENY\r\nSet-Cookie: a=b", "DENY\n"])
def test_a_value_with_a_line_break_is_refused(value: str) -> None:
    with pytest.raises(BadHeaderError):
        checked({"X-Frame-Options": value})


def test_all_fields_are_encoded_as_a_server_sends_them() -> None:
    response = HttpResponse(headers={"Content-Type": "text/plain", "X-Name": "Zoë"})
    add(response, NEVER_FRAMED)

    assert fields_of(response) == [
        (b"Content-Type", b"text/plain"),
        (b"X-Name", "Zoë".encode("latin-1")),
        (b"X-Frame-Options", b"DENY"),
    ]
