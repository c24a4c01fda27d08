"""How much of one response a connection reads before it gives up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResponseLimits:
    """In bytes. A response beyond one of them fails as `too_large`."""

    body_bytes: int  # of the body, the lines that frame its chunks included
    header_bytes: int = 65_536  # of one response's header, and of its trailer section
    # A check of the body searches this much of it, from its beginning.
    searched_bytes: int = 1_048_576


class TooLarge(Exception):
    """A response passed a limit of this site; the text is a sentence that names it."""


class InvalidResponse(Exception):
    """The bytes received are not an HTTP/1.1 response; the text is a sentence."""


def header_too_large(limits: ResponseLimits) -> TooLarge:
    return TooLarge(
        f"The response's header is larger than {limits.header_bytes:,} bytes, which is a "
        "limit of this site."
    )


def body_too_large(limits: ResponseLimits) -> TooLarge:
    return TooLarge(
        f"The body is larger than {limits.body_bytes:,} bytes, which is a limit of this "
        "site."
    )
