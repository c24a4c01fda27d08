"""What is wrong with a value that a client sent, in this site's words.

Pydantic's own sentences would stand beside ours in one answer. Each message here says
what would be right, reads on from the name of the value, and has no full stop.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from async_views.runtime.asgi.problem_details import FieldError, shortened

UNKNOWN = "is not known here"

Context = Mapping[str, Any]

# By the types of pydantic's errors.
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


def field_error(error: Mapping[str, Any]) -> FieldError:
    """Pydantic's account of one wrong value, as this site gives it."""
    context = error.get("ctx", {})
    said = MESSAGES.get(error["type"])
    if said is not None:
        message = said(context)
    else:
        # A validator of ours says it as it is to be said.
        message = str(context.get("error") or error["msg"])
    value = "" if error["type"] == "missing" else shown(error["input"])
    return FieldError(error["loc"], value, message)


def at_least(characters: int) -> str:
    return f"should have {counted(characters)} or more"


def at_most(characters: int) -> str:
    return f"should have {counted(characters)} or fewer"


def counted(characters: int) -> str:
    return f"{characters} character{'' if characters == 1 else 's'}"


def unquoted(choices: str) -> str:
    return choices.replace("'", "")


def shown(value: object) -> str:
    """The beginning of a value, as the client wrote it."""
    if isinstance(value, str):
        return writable(shortened(value))
    return shortened(json.dumps(value, default=str))


def writable(text: str) -> str:
    """With what no UTF-8 can say escaped: a lone surrogate is JSON, but not text."""
    return text.encode(errors="backslashreplace").decode()
