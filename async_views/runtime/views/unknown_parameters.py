"""Messages about query parameters that a route does not know.

Ignoring a misspelt parameter would change the response silently. The message names the
parameter that was probably meant.
"""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

# Comparing takes time, so the number and the length of the compared names are limited.
MAX_COMPARED = 20
MAX_COMPARED_LENGTH = 40
# Of difflib's ratio: "curser" is near "cursor", "rate" is not near "format" or "order".
NEAR = 0.7
# A shorter prefix matches too many names.
MIN_PREFIX = 3


def unknown_parameters(
    given: Iterable[str], known: Collection[str]
) -> list[tuple[str, str]]:
    """The unknown names, in the order of `given` and without repetitions, with messages.

    A message continues a sentence that begins with the name, and has no full stop: "is
    not a parameter here: did you mean limit?" if a known name is near, otherwise "is not
    a parameter here: it takes limit, order and q".
    """
    unknown = [name for name in dict.fromkeys(given) if name not in known]
    taken = f"is not a parameter here: {what_is_taken(known)}"
    said = []
    for place, name in enumerate(unknown):
        meant = likely(name, known) if place < MAX_COMPARED else None
        said.append(
            (
                name,
                f"is not a parameter here: did you mean {meant}?" if meant else taken,
            )
        )
    return said


def what_is_taken(known: Collection[str]) -> str:
    names = list(known)
    if not names:
        return "it takes none"
    *others, last = names
    return f"it takes {', '.join(others)} and {last}" if others else f"it takes {last}"


def likely(name: str, known: Collection[str]) -> str | None:
    """The known name that was probably meant."""
    plain = {plainly(each): each for each in known}
    wanted = plainly(name)
    if wanted in plain:
        return plain[wanted]
    for each in plain:
        shorter, longer = sorted((wanted, each), key=len)
        if len(shorter) >= MIN_PREFIX and longer.startswith(shorter):
            return plain[each]
    near = get_close_matches(wanted, plain, n=1, cutoff=NEAR)
    return plain[near[0]] if near else None


def plainly(name: str) -> str:
    """The name without differences of convention, or an escaped ampersand of HTML."""
    start = name[:MAX_COMPARED_LENGTH].strip().lower().removeprefix("amp;")
    return start.removesuffix("[]").replace("-", "").replace("_", "").replace(" ", "")
