"""Multipart forms, as curl's option ``--form`` writes them."""

import re
from typing import Any

from async_api.load.plan.bodies import FileReader

# Of curl's mime.c; everything else is application/octet-stream.
TYPES = {
    ".gif": "image/gif",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".htm": "text/html",
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".xml": "application/xml",
}
DEFAULT_TYPE = "application/octet-stream"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
SPACE = " \t\n\r\v\f"


def form_part(text: str, read: FileReader) -> dict[str, Any]:
    """The part of the document for ``name=value``, ``name=@file`` or ``name=<file``.

    Raises ValueError for what cannot be sent as curl would.
    """
    name, equals, content = text.partition("=")
    if not equals:
        raise ValueError("must be name=value, name=@file or name=<file")
    if content.startswith("(") or (content == ")" and not name):
        raise ValueError("starts or ends a part of parts, which cannot be sent")
    sign = content[:1] if content[:1] in {"@", "<"} else ""
    value, rest = _word(content[len(sign) :], ";," if sign == "@" else ";")
    if rest.startswith(","):
        raise ValueError(
            "names several files, which cannot be sent; write a --form for each"
        )
    settings: dict[str, str] = {}
    while rest:
        setting, _, after = rest[1:].lstrip().partition("=")
        if setting not in {"type", "filename"}:
            raise ValueError(
                f"has ;{setting}, which cannot be honoured; put a value that contains a "
                "semicolon into double quotes, or use --form-string"
            )
        settings[setting], rest = _word(after, ";")
    part: dict[str, Any] = {"name": name}
    if sign == "@":
        filename = settings.setdefault("filename", value.rpartition("/")[2])
        settings.setdefault(
            "type", _type_of(filename) or _type_of(value) or DEFAULT_TYPE
        )
        part["file"] = value
    elif sign == "<":
        try:
            part["value"] = read(value).decode()
        except UnicodeDecodeError as error:
            raise ValueError("has a file that is not text in UTF-8") from error
    else:
        part["value"] = value
    return part | settings


def _word(text: str, ends: str) -> tuple[str, str]:
    """A value, quoted or without the white space around it, and what follows its end."""
    text = text.lstrip(SPACE)
    quoted = _QUOTED.match(text)
    if quoted is None:  # also where the closing quote is missing, as in curl
        place = min((text.find(end) for end in ends if end in text), default=len(text))
        return text[:place].rstrip(SPACE), text[place:]
    rest = text[quoted.end() :].lstrip(SPACE)
    if rest and rest[0] not in ends:
        raise ValueError("has text after a closing quote")
    return re.sub(r'\\(["\\])', r"\1", quoted[1]), rest


def _type_of(path: str) -> str:
    return next(
        (kind for ending, kind in TYPES.items() if path.lower().endswith(ending)), ""
    )
