"""The outcomes of a run's requests, in arrays, exactly as they were measured.

25 bytes a request. Times are whole microseconds after the run began.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

NEVER = -1  # a time at which something did not happen


class Outcome(IntEnum):
    """What became of a request without a response, as a negative number.

    Positive outcomes are the statuses of responses.
    """

    SHED = -1  # not sent by its deadline
    REFUSED = -2  # by the guard
    DNS = -3
    CONNECT = -4
    TLS = -5
    TIMEOUT = -6
    DISCONNECTED = -7
    INVALID_RESPONSE = -8
    TOO_LARGE = -9
    CANCELLED = -10  # under way as the run was cancelled

    @property
    def word(self) -> str:
        return self.name.lower()


class FailedCheck(IntEnum):
    """The first check of the plan that a response failed."""

    NONE = 0
    STATUS = 1  # only where the plan names the expected statuses
    CONTAINS = 2
    MATCHES = 3
    HEADER = 4
    SIZE = 5


class Flag(IntFlag):
    NEW_CONNECTION = 1  # opened for this request
    NONE_FREE = 2  # as it was due, every connection was in use
    WARM_UP = 4  # planned in the warm-up
    REDIRECT = 8  # answered with 3xx and a Location


# Of each column, the type code of its array and its meaning.
COLUMNS = {
    "planned": "i",  # when it was due; in a closed load, when its connection was free
    "sent": "i",  # when its first byte was written, or NEVER
    "first_byte": "i",  # of the response, or NEVER
    "ended": "i",  # when its last byte arrived or it failed, or NEVER for one shed
    "size": "I",  # bytes of the body received
    "outcome": "h",  # a status, or an Outcome
    "failed_check": "B",  # a FailedCheck
    "request": "B",  # the index of the plan's request
    "flags": "B",
}


Add = Callable[[int, int, int, int, int, int, int, int, int], None]


@dataclass(slots=True)
class Recording:
    """A column for each of COLUMNS, all of one length."""

    planned: "array[int]" = field(default_factory=lambda: array("i"))
    sent: "array[int]" = field(default_factory=lambda: array("i"))
    first_byte: "array[int]" = field(default_factory=lambda: array("i"))
    ended: "array[int]" = field(default_factory=lambda: array("i"))
    size: "array[int]" = field(default_factory=lambda: array("I"))
    outcome: "array[int]" = field(default_factory=lambda: array("h"))
    failed_check: "array[int]" = field(default_factory=lambda: array("B"))
    request: "array[int]" = field(default_factory=lambda: array("B"))
    flags: "array[int]" = field(default_factory=lambda: array("B"))
    # Adds a request, given a value for each column in their order.
    add: "Add" = field(init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.planned)

    def __post_init__(self) -> None:
        self.add = self._adder()

    def _adder(self) -> "Add":
        # Holding the columns' methods takes half of the time of looking them up.
        planned, sent = self.planned.append, self.sent.append
        first_byte, ended = self.first_byte.append, self.ended.append
        size, outcome = self.size.append, self.outcome.append
        failed_check, request = self.failed_check.append, self.request.append
        flags = self.flags.append

        def add(
            planned_: int,
            sent_: int,
            first_byte_: int,
            ended_: int,
            size_: int,
            outcome_: int,
            failed_check_: int,
            request_: int,
            flags_: int,
        ) -> None:
            planned(planned_)
            sent(sent_)
            first_byte(first_byte_)
            ended(ended_)
            size(size_)
            outcome(outcome_)
            failed_check(failed_check_)
            request(request_)
            flags(flags_)

        return add
