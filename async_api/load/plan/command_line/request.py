"""The request of a plan, from the options of a command line."""

import json
from typing import Any

from async_api.load.plan.bodies import read_file
from async_api.load.plan.command_line.given import Given
from async_api.load.plan.errors import NOT_SHOWN

MAX_SECRET_BYTES = 64 * 1024


def request_document(given: Given) -> dict[str, Any]:
    """The entry of the document's ``requests`` for the URL; errors are kept in `given`."""
    request: dict[str, Any] = {"url": given["url"]}
    if "method" in given:
        request["method"] = given["method"]
    if headers := _headers(given):
        request["headers"] = headers
    if "data" in given:
        request["body"] = {"text": given["data"]}
    elif "data_file" in given:
        request["body"] = {"file": given["data_file"]}
    elif "data_json" in given:
        _add_json(given, request, given["data_json"])
    if "bearer" in given:
        request["authentication"] = {"bearer": _secret(given, "bearer")}
    elif "user" in given:
        user, colon, password = _secret(given, "user").partition(":")
        if not colon:
            given.refuse("user", NOT_SHOWN, "must be USER:PASSWORD")
        request["authentication"] = {"user": user, "password": password}
    return request


def _headers(given: Given) -> list[Any]:
    headers: list[Any] = []
    for text in given.get("header", ()):
        secret = text.startswith("@")
        try:
            lines = _lines_of(text[1:]) if secret else [text]
        except ValueError as error:
            given.refuse("header", text, str(error))
            continue
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                given.refuse("header", NOT_SHOWN, "must be 'Name: value'")
            elif secret:
                headers.append({"name": name, "value": value, "secret": True})
            else:
                headers.append([name, value])
    return headers


def _add_json(given: Given, request: dict[str, Any], text: str) -> None:
    """The JSON as it is written, which is not always as it would be written again."""
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        given.refuse("data_json", text, f"is not JSON: {error}")
    request["body"] = {"text": text}
    headers = request.setdefault("headers", [])
    names = {each["name"] if isinstance(each, dict) else each[0] for each in headers}
    if "content-type" not in map(str.lower, names):
        headers.append(["Content-Type", "application/json"])


def _secret(given: Given, name: str) -> str:
    text: str = given[name]
    if not text.startswith("@"):
        return text
    try:
        lines = _lines_of(text[1:])
        if len(lines) != 1:
            raise ValueError(f"has {len(lines)} lines that are not empty, not one")
    except ValueError as error:
        given.refuse(name, text, str(error))
        return ":"
    return lines[0]


def _lines_of(path: str) -> list[str]:
    try:
        text = read_file(path, MAX_SECRET_BYTES).decode()
    except UnicodeDecodeError:
        raise ValueError("is not text in UTF-8") from None
    return [line for line in text.splitlines() if line.strip()]
