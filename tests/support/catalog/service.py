"""An HTTP client of the catalog's API for tests."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import psycopg

SECONDS_TO_WAIT = 60
JSON = "application/json"
PROBLEM_JSON = "application/problem+json"

# Tables and their columns, each in order.
TABLES = {
    "brand": ("brand_id", "brand_name"),
    "product": ("product_id", "product_name", "brand_id"),
    "product_color": ("product_color_id", "product_color_name"),
    "product_size": ("product_size_id", "product_size_name"),
    "sku": ("sku_id", "product_id", "product_size_id", "product_color_id"),
}


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def etag(self) -> str:
        return str(self.headers["ETag"])

    @property
    def problem(self) -> dict[str, Any]:
        """The problem details of an error response."""
        assert self.headers["Content-Type"] == PROBLEM_JSON, (self.status, self.body)
        document: dict[str, Any] = self.json
        assert document["status"] == self.status
        return document

    @property
    def wrong(self) -> dict[str, tuple[str, str]]:
        """The value and message of each invalid field."""
        return {
            each["field"]: (each["value"], each["message"])
            for each in self.problem["errors"]
        }

    def link(self, relation: str) -> str | None:
        """The URL of the link with that relation."""
        found = re.search(rf'<([^>]*)>; rel="{relation}"', self.headers["Link"])
        return found.group(1) if found else None


def send(
    url: str,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One request on a connection of its own."""
    address = urlsplit(url)
    assert address.hostname
    with closing(
        HTTPConnection(address.hostname, address.port, timeout=SECONDS_TO_WAIT)
    ) as connection:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return Response(response.status, response.headers, response.read())


@dataclass(frozen=True, slots=True)
class Catalog:
    """A running site, and the URL of its database."""

    url: str
    database: str

    def get(self, path: str, **headers: str) -> Response:
        return self.send("GET", path, **headers)

    def send(
        self,
        method: str,
        path: str,
        document: Any = None,
        content_type: str = JSON,
        **headers: str,
    ) -> Response:
        """Send bytes as they are, any other document as JSON. If_Match is If-Match."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if document is None:
            return send(self.url, method, path, headers=given)
        body = (
            document if isinstance(document, bytes) else json.dumps(document).encode()
        )
        return send(
            self.url, method, path, body, {"Content-Type": content_type} | given
        )

    def insert(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert rows, given without their IDs, which begin with 1."""
        columns = TABLES[table][1:]
        with psycopg.connect(self.database) as connection:
            connection.cursor().executemany(
                f"INSERT INTO {table} ({', '.join(columns)})"
                f" VALUES ({', '.join(['%s'] * len(columns))})",
                list(rows),
            )

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.database) as connection:
            connection.execute(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(statement).fetchall()

    def empty(self) -> None:
        self.execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
