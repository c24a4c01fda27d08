"""Bodies of requests: read from files, and put together from the parts of a form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

FileReader = Callable[[str], bytes]

ALLOWED = ", the most that LOAD_MAX_BODY_BYTES allows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a multipart form (RFC 7578); `filename` and `type` may be "" for none."""

    name: str
    content: bytes
    filename: str = ""
    type: str = ""


def reader_of_files(maximum: int) -> FileReader:
    """A function that reads files with bodies of at most `maximum` bytes."""

    def read(path: str) -> bytes:
        return read_file(path, maximum, ALLOWED)

    return read


def read_file(path: str, maximum: int, allowed: str = "") -> bytes:
    """Raises ValueError with a clause that says why a file cannot be read."""
    try:
        with open(path, "rb") as file:
            content = file.read(maximum + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"cannot be read ({reason})") from error
    require_size(len(content), maximum, allowed)
    return content


def no_files(path: str) -> bytes:
    """The reader where files are not allowed; raises ValueError."""
    raise ValueError(
        "is a file of the machine that runs the plan, which cannot be read here; give "
        "its content as text or base64"
    )


def require_size(size: int, maximum: int, allowed: str = ALLOWED) -> None:
    """Raises ValueError for what is too large."""
    if size > maximum:
        raise ValueError(f"has more than {maximum} bytes{allowed}")


def multipart(parts: Sequence[Part]) -> tuple[bytes, str]:
    """The body of a form and its Content-Type, as browsers and curl write them.

    The boundary is derived from the parts, so that equal forms have equal bodies.
    """
    boundary = f"----------------{sha256(repr(parts).encode()).hexdigest()[:32]}"
    body = b"".join(_encoded(part, boundary) for part in parts)
    body += f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def _encoded(part: Part, boundary: str) -> bytes:
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(part.name)}"'
    )
    if part.filename:
        head += f'; filename="{_quoted(part.filename)}"'
    if part.type:
        head += f"\r\nContent-Type: {part.type}"
    return f"{head}\r\n\r\n".encode() + part.content + b"\r\n"


def _quoted(text: str) -> str:
    """https://html.spec.whatwg.org/multipage/form-control-infrastructure.html"""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
