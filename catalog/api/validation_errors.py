"""Validation errors of pydantic, in the words of this site.

Each message follows the name of a value, says what would be valid, and has no full stop.
Pydantic's own messages would not match those that the site writes itself.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from async_views.runtime.asgi.problem_details import FieldError, shortened

UNKNOWN = "is not known here"

Context = Mapping[str, Any]

# By the type of pydantic's error.
# https://docs.pydantic.dev/latest/errors/validation_errors/
MESSAGES: dict[str, Callable[[Context], str]] = {
    "missing": lambda context: "is missing",
    "extra_forbidden": lambda context: UNKNOWN,
    "string_type": lambda context: "should be text",
    "string_unicode": lambda context: "should be Unicode without lone surrogates",
    "string_too_short": lambda context: at_least(context["min_length"]),
    "string_too_long": lambda context: at_most(context["max_length"]),
    "int_type": lambda context: "should be an integer",
    "int_parsing": lambda context: "should be an integer",
    "int_parsing_size": lambda context: "should have fewer digits",
    "int_from_float": lambda context: "should be an integer",
    "greater_than_equal": lambda context: f"should be {context['ge']} or more",
    "less_than_equal": lambda context: f"should be {context['le']} or less",
    "literal_error": lambda context: f"should be {unquoted(context['expected'])}",
    "model_type": lambda context: "should be an object",
    "model_attributes_type": lambda context: "should be an object",
    "dict_type": lambda context: "should be an object",
}


def field_errors(error: ValidationError) -> list[FieldError]:
    return [field_error(each) for each in error.errors(include_url=False)]


def field_error(details: Mapping[str, Any]) -> FieldError:
    context = details.get("ctx", {})
    translate = MESSAGES.get(details["type"])
    if translate is not None:
        message = translate(context)
    else:
        # The validators in schemas.py raise messages that are ready to use.
        message = str(context.get("error") or details["msg"])
    value = "" if details["type"] == "missing" else shown(details["input"])
    return FieldError(shown(".".join(map(str, details["loc"]))), value, message)


def at_least(characters: int) -> str:
    return f"should have {count_of(characters)} or more"


def at_most(characters: int) -> str:
    return f"should have {count_of(characters)} or fewer"


def count_of(characters: int) -> str:
    return f"{characters} character{'' if characters == 1 else 's'}"


def unquoted(choices: str) -> str:
    return choices.replace("'", "")


def shown(value: object) -> str:
    """The beginning of a value, as the client wrote it."""
    if isinstance(value, str):
        return writable(shortened(value))
    return shortened(json.dumps(value, default=str))


def writable(text: str) -> str:
    """Escape lone surrogates, which JSON can contain and UTF-8 cannot encode."""
    return text.encode(errors="backslashreplace").decode()
