"""What is wrong with a plan: one error for each member of the document that is not valid."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

SHOWN_LENGTH = 80
NOT_SHOWN = "(not shown)"

KINDS = ("closed", "rate", "steps")  # of load; pydantic puts them into its locations

_CREDENTIALS = re.compile(r"//[^/?#]*@")  # in a URL

Location = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class PlanError:
    """`location` is a path such as ``requests[1].headers[0].name``, or "" for the whole.

    `value` is the beginning of what stands there, as text; `message` is a clause that says
    what is wrong and what would be right.
    """

    location: str
    value: str
    message: str

    def __str__(self) -> str:
        subject = " ".join(part for part in (self.location, self.value) if part)
        return f"{subject}: {self.message}" if subject else self.message


class InvalidPlan(ValueError):
    """A document, options or a command that are not a valid plan, with every error."""

    def __init__(self, errors: Iterable[PlanError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, self.errors)))


# By the type of pydantic's error.
# https://docs.pydantic.dev/latest/errors/validation_errors/
MESSAGES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda context: "is missing",
    "string_type": lambda context: "must be text",
    "string_unicode": lambda context: "must be Unicode without lone surrogates",
    "string_too_short": lambda context: "must not be empty",
    "string_too_long": lambda context: (
        f"must have at most {context['max_length']} characters"
    ),
    "int_type": lambda context: "must be a whole number",
    "int_from_float": lambda context: "must be a whole number",
    "int_parsing_size": lambda context: "must have fewer digits",
    "float_type": lambda context: "must be a number",
    "finite_number": lambda context: "must be a finite number",
    "bool_type": lambda context: "must be true or false",
    "greater_than": lambda context: f"must be more than {context['gt']:g}",
    "greater_than_equal": lambda context: f"must be at least {context['ge']:g}",
    "less_than_equal": lambda context: f"must be at most {context['le']:g}",
    "literal_error": lambda context: (
        f"must be {context['expected'].replace(chr(39), '')}"
    ),
    "list_type": lambda context: "must be a list",
    "too_short": lambda context: f"must have at least {context['min_length']} entry",
    "too_long": lambda context: f"must have at most {context['max_length']} entries",
    "model_type": lambda context: "must be an object",
    "model_attributes_type": lambda context: "must be an object",
    "union_tag_not_found": lambda context: 'must have a "kind": closed, rate or steps',
    "union_tag_invalid": lambda context: (
        f"has the kind {context['tag'][:SHOWN_LENGTH]}, which must be closed, rate or steps"
    ),
}

NOT_TEXT = {"int_type", "float_type", "bool_type"}


def errors_of(
    invalid: ValidationError, models: Mapping[str, type[BaseModel]]
) -> list[PlanError]:
    """Pydantic's errors in the words of this package.

    `models` holds the model of each named object of the document, "" being the document
    and a load's kind its load; their members are suggested in place of an unknown one.
    """
    return [_error_of(each, models) for each in invalid.errors(include_url=False)]


def _error_of(
    details: Mapping[str, Any], models: Mapping[str, type[BaseModel]]
) -> PlanError:
    kind = details["type"]
    location = details["loc"]
    written = located(location)
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        return PlanError(
            written,
            "",
            unknown(str(location[-1]), _members_at(location[:-1], models)),
        )
    if kind in MESSAGES:
        message = MESSAGES[kind](context)
        if kind in NOT_TEXT and isinstance(details["input"], str):
            message += ", not text"
    else:
        # The validators of this package raise messages that are ready to use.
        message = str(context.get("error") or details["msg"])
    return PlanError(
        written,
        "" if kind == "missing" else shown(details["input"], location),
        message,
    )


def _members_at(location: Location, models: Mapping[str, type[BaseModel]]) -> list[str]:
    named = [each for each in location if each in models]
    model = models[str(named[-1]) if named else ""]
    return [field.alias or name for name, field in model.model_fields.items()]


def unknown(name: str, known: Iterable[str]) -> str:
    """What is wrong with an unknown name, with the name that was probably meant."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    if near:
        return f"is not known here; did you mean {near[0]}?"
    return f"is not known here; known are {', '.join(names)}"


def located(location: Location) -> str:
    """A path as text. The kind of the load is not part of it."""
    text = ""
    for index, part in enumerate(location):
        if isinstance(part, int):
            text += f"[{part}]"
        elif index != 1 or location[0] != "load" or part not in KINDS:
            text += f".{shortened(part)}" if text else shortened(part)
    return text


def shown(value: object, location: Location = ()) -> str:
    """The beginning of a value as text, unless it may be or may hold a secret."""
    if "authentication" in location or (
        "headers" in location and location[-1] not in {"name", "secret"}
    ):
        return NOT_SHOWN
    if isinstance(value, dict):
        return "(an object)"
    if isinstance(value, list):
        return "(a list)"
    if isinstance(value, str):
        return shortened(_CREDENTIALS.sub("//…@", value)) or '""'
    return shortened(json.dumps(value, default=repr))


def shortened(text: str) -> str:
    if len(text) > SHOWN_LENGTH:
        text = text[: SHOWN_LENGTH - 1] + "…"
    # JSON can contain lone surrogates, which UTF-8 cannot encode.
    return text.encode(errors="backslashreplace").decode()
