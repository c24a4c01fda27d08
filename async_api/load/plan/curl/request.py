"""A curl command, read into the document of one request.

Everything that the command asks for is in it. What curl adds to every request by itself,
``Accept: */*`` and its ``User-Agent``, is not: the generator has such defaults of its own.
"""

import re
from dataclasses import dataclass
from typing import Any

from async_api.load.plan.bodies import FileReader, no_files, reader_of_files
from async_api.load.plan.curl import data
from async_api.load.plan.curl.arguments import Argument, sorted_arguments
from async_api.load.plan.curl.data import Data
from async_api.load.plan.curl.fields import Fields
from async_api.load.plan.curl.forms import form_part
from async_api.load.plan.curl.quoting import words_of
from async_api.load.plan.curl.urls import Address, read_address, with_query
from async_api.load.plan.errors import InvalidPlan, PlanError
from async_api.load.plan.limits import PlanLimits

FORM_TYPE = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"
MULTIPART_TYPE = "multipart/form-data"
# Those of every curl, and those in which a check of the body can read it.
ENCODINGS = "deflate, gzip"
# Sent by the generator where the plan does not set them.
GENERATED = ("User-Agent", "Accept", "Accept-Encoding")


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a command asks for.

    `request` is an entry of the document's ``requests``, `conditions` some members of its
    ``conditions``, and each warning a sentence on what is not as curl would do it.
    """

    request: dict[str, Any]
    conditions: dict[str, Any]
    warnings: tuple[str, ...]


def request_of(command: str, limits: PlanLimits, *, files: bool = False) -> Pasted:
    """Reads a command of bash or of the Windows command prompt; raises InvalidPlan.

    Its errors name the options. Files that the command names are read, or left for
    `read_plan` to read, only if `files` is true.
    """
    try:
        split = words_of(command)
    except ValueError as error:
        raise InvalidPlan([PlanError("", "", str(error))]) from error
    program = re.split(r"[/\\]", split.words[0])[-1] if split.words else ""
    if program.lower() not in {"curl", "curl.exe"}:
        raise InvalidPlan(
            [PlanError("", program, "must be a command that starts with curl")]
        )
    arguments = sorted_arguments(split.words[1:])
    reading = _Reading(reader_of_files(limits.body_bytes) if files else no_files)
    reading.errors += arguments.errors
    for argument in arguments.honoured:
        reading.take(argument)
    request = reading.request()
    if reading.errors:
        raise InvalidPlan(reading.errors)
    return Pasted(
        request,
        reading.conditions,
        (*split.notes, *arguments.warnings, *reading.warnings),
    )


class _Reading:
    """The options of one command, taken in order, and then the request of all of them."""

    def __init__(self, read: FileReader) -> None:
        self.read = read
        self.data = Data(read)
        self.fields = Fields()
        self.form: list[dict[str, Any]] = []
        self.cookies: list[str] = []
        self.urls: list[Argument] = []
        self.conditions: dict[str, Any] = {}
        self.flags: set[str] = set()
        self.method = ""
        self.user = ""
        self.bearer = ""
        self.json = False
        self.anonymous = False  # asks for no User-Agent
        self.errors: list[PlanError] = []
        self.warnings: list[str] = []

    def take(self, argument: Argument) -> None:
        try:
            self._take(argument.name, argument)
        except ValueError as error:
            self.refuse(argument.written, str(error))

    def refuse(self, option: str, message: str) -> None:
        self.errors.append(PlanError("", option, message))

    def _take(self, name: str, argument: Argument) -> None:
        value = argument.value
        match name:
            case "url":
                self.urls.append(argument)
            case "header":
                self.fields.add(value)
            case "form":
                self.form.append(form_part(value, self.read))
            case "form-string":
                part, equals, text = value.partition("=")
                if not equals:
                    raise ValueError("must be name=value")
                self.form.append({"name": part, "value": text})
            case "request":
                self.method = value
            case "user":
                if ":" not in value:
                    raise ValueError("asks for a password; write user:password")
                self.user = value
            case "oauth2-bearer":
                self.bearer = value
            case "cookie":
                if "=" not in value:
                    raise ValueError(
                        "names a file of cookies; write them as name=value"
                    )
                self.cookies.append(value)
            case "user-agent":
                self._default("User-Agent", value)
                self.anonymous = not value
            case "referer":
                self._default("Referer", value.removesuffix(";auto"))
            case "range":
                self._default("Range", f"bytes={value}")
            case "compressed" if argument.given:
                self._default("Accept-Encoding", ENCODINGS)
                self.warnings.append(
                    f"{argument.written}: asks for {ENCODINGS}; the sizes of bodies are "
                    "those on the wire."
                )
            case "ipv4" | "ipv6":
                self.conditions["ip"] = name[-1]
            case "insecure":
                self.conditions["insecure"] = argument.given
            case "cacert":
                self.conditions["ca_file"] = value
            case "connect-timeout":
                self._seconds("connect_seconds", argument)
            case "max-time":
                self._seconds("response_seconds", argument)
                self.warnings.append(
                    f"{argument.written}: is counted from the send of each request, "
                    "without the time to connect."
                )
            case _ if name in data.NAMES:
                self.data.add(name, value)
                self.json |= name == "json"
            case _ if argument.given:
                self.flags.add(name)
            case _:
                self.flags.discard(name)

    def _default(self, name: str, value: str) -> None:
        """The last one counts, and an empty one is none."""
        if value:
            self.fields.defaults[name] = value
        else:
            self.fields.defaults.pop(name, None)

    def _seconds(self, condition: str, argument: Argument) -> None:
        try:
            seconds = float(argument.value)
        except ValueError:
            raise ValueError("must be a number of seconds") from None
        if seconds > 0:  # 0 is the default of curl
            self.conditions[condition] = seconds

    def request(self) -> dict[str, Any]:
        """The document of the request, which is complete unless there are errors."""
        address = self._address()
        request: dict[str, Any] = {"url": address.url, "method": self._method()}
        has_data = self.data.pieces > 0
        if has_data and "get" in self.flags:
            try:
                request["url"] = with_query(address.url, self.data.query())
            except ValueError as error:
                self.refuse("-G", str(error))
        elif has_data:
            request["body"] = self.data.body()
        elif self.form:
            request["body"] = {"form": self.form}
        self._finish_fields("body" in request)
        if headers := self.fields.written():
            request["headers"] = headers
        if authentication := self._authentication(address):
            request["authentication"] = authentication
        return request

    def _address(self) -> Address:
        if len(self.urls) != 1:
            problem = (
                "has no URL"
                if not self.urls
                else f"has {len(self.urls)} URLs, and a command is one request"
            )
            self.refuse(" ".join(url.value for url in self.urls[1:2]), problem)
            return Address("")
        [argument] = self.urls
        try:
            return read_address(
                argument.value,
                globs="globoff" not in self.flags,
                as_is="path-as-is" in self.flags,
            )
        except ValueError as error:
            self.refuse("URL", str(error))
            return Address("")

    def _method(self) -> str:
        sends = self.data.pieces > 0 and "get" not in self.flags
        kinds = [
            word
            for word, used in (
                ("-I", "head" in self.flags),
                ("-d", sends),
                ("-F", bool(self.form)),
                ("-G", "get" in self.flags and "head" not in self.flags),
            )
            if used
        ]
        if len(kinds) > 1:
            self.refuse(
                " with ".join(kinds), "ask for different methods; keep one of them"
            )
        if self.method:
            return self.method
        if "head" in self.flags:
            return "HEAD"
        return "POST" if sends or self.form else "GET"

    def _finish_fields(self, has_body: bool) -> None:
        fields = self.fields
        if self.cookies:
            fields.defaults["Cookie"] = ";".join(self.cookies)
        if "Range" in fields.defaults and has_body:
            self.refuse(
                "-r", "sends a Content-Range with a body; set the header with -H"
            )
        if self.json:
            fields.last |= {"Content-Type": JSON_TYPE, "Accept": JSON_TYPE}
        elif has_body and self.data.pieces:
            fields.last["Content-Type"] = FORM_TYPE
        if self.form and fields.has("content-type"):
            self._check_form_type()
        if fields.length is not None and fields.length != str(self.data.size()):
            self.refuse(
                "-H",
                "Content-Length is not that of the data as it is read here; remove it",
            )
        for name in GENERATED:
            if fields.removes(name) or (
                name == "User-Agent" and self.anonymous and not fields.has(name)
            ):
                self.warnings.append(
                    f"{name}: cannot be left out; the generator sends its own."
                )
        if fields.keep_alive is not None:
            self.conditions["keep_alive"] = fields.keep_alive
        self.warnings += fields.warnings

    def _check_form_type(self) -> None:
        """A form sets its own Content-Type, to which curl adds a boundary."""
        types = [
            value.lower()
            for name, value in self.fields.own
            if name.lower() == "content-type"
        ]
        if types != [MULTIPART_TYPE]:
            self.refuse(
                "-H",
                "Content-Type of a form is set with its boundary; remove this header",
            )
        self.fields.drop("content-type")

    def _authentication(self, address: Address) -> dict[str, str] | None:
        if self.fields.has("authorization"):
            return None
        if self.bearer:
            return {"bearer": self.bearer}
        if self.user:
            user, _, password = self.user.partition(":")
            return {"user": user, "password": password}
        if address.user is not None:
            return {"user": address.user, "password": address.password}
        return None
