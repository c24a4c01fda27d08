"""How does an answer get the header fields that most answers have?

Django checks each field each time it is set, learns that it has none by catching an
error, and encodes each for each client. Here a field is checked and encoded once, and
many answers get it.

Written against Django 5.2: `_store` is private there.
"""

from collections.abc import Mapping
from typing import Self

from django.http.response import HttpResponseBase, ResponseHeaders


class Field(tuple[str, str]):
    """A name and a value, as Django stores them, and as ASGI has them."""

    encoded: tuple[bytes, bytes]

    def __new__(cls, name: str, value: str) -> Self:
        field = super().__new__(cls, (name, value))
        field.encoded = encoded(field)
        return field


# By their names in lower case.
HeaderFields = Mapping[str, tuple[str, str]]


def checked(fields: Mapping[str, str]) -> HeaderFields:
    """To be given to many; raises BadHeaderError for what no field can say."""
    stored = ResponseHeaders(dict(fields))._store
    return {key: Field(name, value) for key, (name, value) in stored.items()}


def add(response: HttpResponseBase, fields: HeaderFields) -> None:
    """In place of those of the same names."""
    response.headers._store.update(fields)


def add_missing(response: HttpResponseBase, fields: HeaderFields) -> None:
    """Where the answer has none of the same name."""
    stored = response.headers._store
    for key, field in fields.items():
        stored.setdefault(key, field)


def fields_of(response: HttpResponseBase) -> list[tuple[bytes, bytes]]:
    """All but its cookies, as ASGI has them."""
    return [
        field.encoded if type(field) is Field else encoded(field)
        for field in response.headers._store.values()
    ]


def encoded(field: tuple[str, str]) -> tuple[bytes, bytes]:
    name, value = field
    return name.encode("ascii"), value.encode("latin1")
