"""The members of a request: URL, headers, body, authentication and checks."""

import re
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from async_api.load.plan.headers import (
    TOKEN,
    valid_method,
    valid_name,
    valid_value,
    without_controls,
)
from async_api.load.plan.members.base import Members, one_of, require_one
from async_api.load.plan.members.statuses import STATUSES_PATTERN, parse_statuses
from async_api.outbound.targets import (
    MAX_URL_LENGTH,
    InvalidTarget,
    Target,
    parse_target,
)

MAX_WEIGHT = 1000
MAX_SIZE = 2**32 - 1  # recordings keep sizes in 32 bits


def _target(value: object) -> Target:
    if not isinstance(value, str):
        raise ValueError("must be text")
    try:
        target = parse_target(value)
    except InvalidTarget as error:
        raise ValueError(error.reason) from error
    if len(str(target)) > MAX_URL_LENGTH:
        raise ValueError(
            f"is more than {MAX_URL_LENGTH} characters long when it is percent-encoded"
        )
    return target


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        place = getattr(error, "pos", None)
        where = "" if place is None else f", at position {place}"
        reason = getattr(error, "msg", str(error))
        raise ValueError(f"is not a regular expression: {reason}{where}") from error
    return text


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of printable characters")
    return text


def _checked_header(name: str) -> str:
    if not TOKEN.fullmatch(name):
        raise ValueError("must be the name of a header, such as ETag")
    return name


def _header(value: object) -> object:
    if isinstance(value, list):
        if len(value) != 2:
            raise ValueError('must be ["Name", "value"], or an object with these')
        return {"name": value[0], "value": value[1]}
    return value


class HeaderMembers(Members):
    name: Annotated[str, AfterValidator(valid_name)] = Field(
        description="A field name (RFC 9110, section 5.1)."
    )
    value: Annotated[str, AfterValidator(valid_value)] = Field(
        description="One line of text, sent as UTF-8."
    )
    secret: bool | None = Field(
        default=None,
        description="Whether reports hide the value. Default: true for Authorization, "
        "Cookie and Proxy-Authorization.",
    )


class PartMembers(Members):
    model_config = one_of("value", "file")

    name: Annotated[str, Field(min_length=1)] = Field(
        description="The name of the form's field."
    )
    value: str | None = Field(default=None, description="Its value.")
    file: str | None = Field(
        default=None,
        description="The path of a file with its value, where files are allowed.",
    )
    filename: str | None = Field(
        default=None,
        description="The file name that is sent. Default: that of the file.",
    )
    type: Annotated[str, AfterValidator(valid_value)] | None = Field(
        default=None,
        description="The Content-Type of the part. Default: none for a value, "
        "application/octet-stream for a file.",
    )

    @model_validator(mode="after")
    def _has_one_content(self) -> Self:
        return require_one(self, "value", "file")


class BodyMembers(Members):
    model_config = one_of("text", "json", "file", "base64", "form")

    text: str | None = Field(
        default=None, description="The body as text, sent as UTF-8."
    )
    json_: Any = Field(
        default=None,
        alias="json",
        description="The body as JSON; sets Content-Type unless a header does.",
    )
    file: str | None = Field(
        default=None,
        description="The path of a file with the body, where files are allowed.",
    )
    base64: str | None = Field(
        default=None, description="The body in Base64 (RFC 4648)."
    )
    form: Annotated[list[PartMembers], Field(min_length=1, max_length=100)] | None = (
        Field(
            default=None,
            description="The parts of a multipart/form-data body (RFC 7578).",
        )
    )

    @model_validator(mode="after")
    def _has_one_content(self) -> Self:
        return require_one(self, "text", "json", "file", "base64", "form")


class AuthenticationMembers(Members):
    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["bearer"]}, {"required": ["user", "password"]}]
        }
    )

    bearer: Annotated[str, Field(min_length=1), AfterValidator(valid_value)] | None = (
        Field(default=None, description="A bearer token (RFC 6750).")
    )
    user: Annotated[str, AfterValidator(without_controls)] | None = Field(
        default=None,
        description="The user of basic authentication, without a colon (RFC 7617).",
    )
    password: Annotated[str, AfterValidator(without_controls)] | None = Field(
        default=None, description="The password of basic authentication."
    )

    @model_validator(mode="after")
    def _is_one_scheme(self) -> Self:
        given = {
            name for name in self.model_fields_set if getattr(self, name) is not None
        }
        if given not in ({"bearer"}, {"user", "password"}):
            raise ValueError('must have either "bearer", or both "user" and "password"')
        if self.user is not None and ":" in self.user:
            raise ValueError("must have a user without a colon, which ends the user")
        return self


class ChecksMembers(Members):
    statuses: (
        Annotated[
            list[
                Annotated[
                    frozenset[int],
                    PlainValidator(parse_statuses),
                    WithJsonSchema(
                        {
                            "anyOf": [
                                {"type": "integer", "minimum": 100, "maximum": 599},
                                {"type": "string", "pattern": STATUSES_PATTERN},
                            ]
                        }
                    ),
                ]
            ],
            Field(min_length=1, max_length=500),
        ]
        | None
    ) = Field(
        default=None,
        description='The statuses expected: numbers, ranges such as "200-299" and classes '
        'such as "2xx". Default: every status below 400.',
    )
    contains: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="Text that the body contains."
    )
    matches: (
        Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_pattern)]
        | None
    ) = Field(
        default=None,
        description="A regular expression (Python's) that is found in the body.",
    )
    header: Annotated[str, AfterValidator(_checked_header)] | None = Field(
        default=None, description="The name of a header that the response has."
    )
    minimum_bytes: Annotated[int, Field(ge=0, le=MAX_SIZE)] | None = Field(
        default=None, description="The smallest size of the body, in bytes."
    )
    maximum_bytes: Annotated[int, Field(ge=0, le=MAX_SIZE)] | None = Field(
        default=None, description="The largest size of the body, in bytes."
    )

    @model_validator(mode="after")
    def _sizes_are_in_order(self) -> Self:
        if (
            self.minimum_bytes is not None
            and self.maximum_bytes is not None
            and self.minimum_bytes > self.maximum_bytes
        ):
            raise ValueError("must have minimum_bytes of at most maximum_bytes")
        return self


class RequestMembers(Members):
    url: Annotated[
        Target,
        PlainValidator(_target),
        WithJsonSchema(
            {"type": "string", "format": "uri", "maxLength": MAX_URL_LENGTH}
        ),
    ] = Field(description="An absolute http or https URL without credentials.")
    name: (
        Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_one_line)]
        | None
    ) = Field(
        default=None,
        description="A unique name. Default: the method and the path of the URL.",
    )
    method: Annotated[str, AfterValidator(valid_method)] | None = Field(
        default=None,
        description="A method, in its own case; all but CONNECT. Default: GET, or POST "
        "with a body.",
    )
    headers: Annotated[
        list[
            Annotated[
                HeaderMembers,
                BeforeValidator(_header),
            ]
        ],
        Field(max_length=100),
    ] = Field(
        default=[],
        description='Header fields in the order sent: ["Name", "value"], or an object. '
        "Host may be set. What frames the request (Content-Length, Transfer-Encoding, "
        "Connection, Upgrade and Expect) may not.",
    )
    body: BodyMembers | None = Field(default=None, description="Default: none.")
    authentication: AuthenticationMembers | None = Field(
        default=None, description="Sets the Authorization header, which is secret."
    )
    weight: int = Field(
        default=1,
        ge=1,
        le=MAX_WEIGHT,
        description="The share of this request among those of the plan.",
    )
    checks: ChecksMembers = Field(
        default=ChecksMembers(),
        description="What a response must be; otherwise it has failed.",
    )
