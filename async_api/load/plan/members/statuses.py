"""Expected statuses, as plans write them: 404, "200-299" or "2xx"."""

import re
from collections.abc import Iterable

FIRST, LAST = 100, 599  # RFC 9110, section 15
STATUSES_PATTERN = "^([1-5]xx|[1-5][0-9]{2}(-[1-5][0-9]{2})?)$"
_STATUSES = re.compile(STATUSES_PATTERN.strip("^$"))


def parse_statuses(value: object) -> frozenset[int]:
    """The statuses of a number, a range or a class; raises ValueError."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _STATUSES.fullmatch(value):
        raise ValueError(
            f"must be a status from {FIRST} to {LAST}, a range such as 200-299, or a class "
            "such as 2xx"
        )
    if value.endswith("xx"):
        hundred = int(value[0]) * 100
        return frozenset(range(hundred, hundred + 100))
    first, _, last = value.partition("-")
    statuses = frozenset(range(int(first), int(last or first) + 1))
    if not statuses:
        raise ValueError(f"must be a range in order, as {last}-{first}")
    return statuses


def written_statuses(statuses: Iterable[int]) -> list[int | str]:
    """The shortest list of numbers and ranges, in order."""
    runs: list[list[int]] = []
    for status in sorted(statuses):
        if runs and runs[-1][1] == status - 1:
            runs[-1][1] = status
        else:
            runs.append([status, status])
    return [first if first == last else f"{first}-{last}" for first, last in runs]
