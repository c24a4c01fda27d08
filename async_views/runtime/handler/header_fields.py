"""Header fields that are checked and encoded once, for many responses.

Django checks a field each time it is set, and encodes it for each response.
"""

from collections.abc import Mapping
from typing import Self

from django.http.response import HttpResponseBase, ResponseHeaders


class Field(tuple[str, str]):
    """A name and a value as Django stores them, with their encoded form for ASGI."""

    encoded: tuple[bytes, bytes]

    def __new__(cls, name: str, value: str) -> Self:
        field = super().__new__(cls, (name, value))
        field.encoded = encoded(field)
        return field


# By name in lower case.
HeaderFields = Mapping[str, tuple[str, str]]


def checked(fields: Mapping[str, str]) -> HeaderFields:
    """Checks and encodes fields; raises BadHeaderError for invalid ones."""
    stored = ResponseHeaders(dict(fields))._store
    return {key: Field(name, value) for key, (name, value) in stored.items()}


def add(response: HttpResponseBase, fields: HeaderFields) -> None:
    """Adds the fields, replacing those of the same names."""
    response.headers._store.update(fields)


def add_missing(response: HttpResponseBase, fields: HeaderFields) -> None:
    """Adds the fields whose names the response does not have."""
    stored = response.headers._store
    for key, field in fields.items():
        stored.setdefault(key, field)


def fields_of(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    """All fields but cookies, encoded for ASGI."""
    return [
        field.encoded if type(field) is Field else encoded(field)
        for field in response.headers._store.values()
    ]


def encoded(field: tuple[str, str]) -> tuple[bytes, bytes]:
    name, value = field
    return name.encode("ascii"), value.encode("latin1")
