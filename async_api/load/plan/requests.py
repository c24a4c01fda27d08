"""The requests of a plan, made from the valid members of its document."""

import binascii
import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from os.path import basename

from async_api.load.plan import headers
from async_api.load.plan.bodies import FileReader, Part, multipart, require_size
from async_api.load.plan.errors import PlanError, shown
from async_api.load.plan.members.request import (
    BodyMembers,
    ChecksMembers,
    PartMembers,
    RequestMembers,
)
from async_api.load.plan.plan import Checks, Header, Request
from async_api.outbound.targets import Target

NAME_LENGTH = 80
JSON_TYPE = "application/json"


class NotBuilt(ValueError):
    """A member that is valid alone and cannot be used."""

    def __init__(self, location: str, value: object, message: str) -> None:
        super().__init__(message)
        self.error = PlanError(location, "" if value is None else shown(value), message)


def build_request(
    members: RequestMembers, location: str, read: FileReader, maximum: int
) -> Request:
    """A request with its default name, which may be that of another one; raises NotBuilt."""
    fields = [
        Header(
            each.name,
            each.value,
            headers.is_secret(each.name) if each.secret is None else each.secret,
        )
        for each in members.headers
    ]
    hosts = [each for each in fields if each.name.lower() == "host"]
    if len(hosts) > 1 or any(not each.value for each in hosts):
        raise NotBuilt(
            f"{location}.headers",
            None,
            "must have at most one Host, which is not empty",
        )
    if members.authentication is not None:
        if headers.has(fields, "authorization"):
            raise NotBuilt(
                f"{location}.authentication",
                None,
                "must not be given beside an Authorization header; remove one of them",
            )
        fields.append(_authorization(members))
    body, content_type = _body(members.body, f"{location}.body", read, maximum)
    if content_type and not headers.has(fields, "content-type"):
        fields.append(Header("Content-Type", content_type))
    elif content_type.startswith("multipart/"):
        raise NotBuilt(
            f"{location}.headers",
            None,
            "must not have a Content-Type, because the body's form sets it with its "
            "boundary",
        )
    method = members.method or ("GET" if members.body is None else "POST")
    return Request(
        target=members.url,
        name=members.name or default_name(method, members.url),
        method=method,
        headers=tuple(fields),
        body=body,
        weight=members.weight,
        checks=_checks(members.checks),
    )


def default_name(method: str, target: Target) -> str:
    """The method and the path, which may be shortened."""
    name = f"{method} {target.request_target.partition('?')[0]}"
    return name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…"


def with_unique_names(
    requests: Sequence[Request], named: Sequence[bool]
) -> list[Request]:
    """The requests, of which each with a default name gets a number where it is taken."""
    taken = {each.name for each, given in zip(requests, named, strict=True) if given}
    unique = []
    for request, given in zip(requests, named, strict=True):
        name, number = request.name, 1
        while not given and name in taken:
            number += 1
            suffix = f" ({number})"
            name = request.name[: NAME_LENGTH - len(suffix)] + suffix
        taken.add(name)
        unique.append(replace(request, name=name))
    return unique


def _authorization(members: RequestMembers) -> Header:
    authentication = members.authentication
    assert authentication is not None
    if authentication.bearer is not None:
        return headers.bearer(authentication.bearer)
    return headers.basic(authentication.user or "", authentication.password or "")


def _body(
    members: BodyMembers | None, location: str, read: FileReader, maximum: int
) -> tuple[bytes, str]:
    """The body, and the Content-Type that it needs or ""."""
    if members is None:
        return b"", ""
    kind, value, content_type = "form", None, ""
    try:
        if members.text is not None:
            kind, value = "text", members.text
            body = members.text.encode()
        elif members.base64 is not None:
            kind, value = "base64", members.base64
            body = _decoded(members.base64)
        elif members.file is not None:
            kind, value = "file", members.file
            body = read(members.file)
        elif members.form is not None:
            parts = [
                _part(part, f"{location}.form[{index}]", read)
                for index, part in enumerate(members.form)
            ]
            body, content_type = multipart(parts)
        else:
            kind, content_type = "json", JSON_TYPE
            body = _json(members.json_)
        require_size(len(body), maximum)
    except NotBuilt:
        raise
    except ValueError as error:
        raise NotBuilt(f"{location}.{kind}", value, str(error)) from error
    return body, content_type


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"is not Base64: {error}") from error


def _json(value: object) -> bytes:
    try:
        return json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"cannot be written as JSON: {error}") from error


def _part(members: PartMembers, location: str, read: FileReader) -> Part:
    if members.file is None:
        return Part(
            name=members.name,
            content=(members.value or "").encode(),
            filename=members.filename or "",
            type=members.type or "",
        )
    try:
        content = read(members.file)
    except ValueError as error:
        raise NotBuilt(f"{location}.file", members.file, str(error)) from error
    return Part(
        name=members.name,
        content=content,
        filename=basename(members.file)
        if members.filename is None
        else members.filename,
        type=members.type or "application/octet-stream",
    )


def _checks(members: ChecksMembers) -> Checks:
    return Checks(
        statuses=None
        if members.statuses is None
        else frozenset().union(*members.statuses),
        contains=members.contains or "",
        matches=members.matches or "",
        header=members.header or "",
        minimum_bytes=members.minimum_bytes,
        maximum_bytes=members.maximum_bytes,
    )
