"""A connection of the pool, with the request that it carries."""

from async_api.load.run import OpenedConnection
from async_api.load.wire.connection import Connection


class Channel:
    """`planned`, `request` and `flags` are those of the latest request, as in a Recording.

    `planned` is in nanoseconds of ``time.perf_counter_ns()``.
    """

    __slots__ = (
        "busy",
        "closed_early",
        "connection",
        "first",
        "flags",
        "opened",
        "planned",
        "request",
    )

    def __init__(self) -> None:
        self.connection: Connection | None = None  # until it is open
        self.opened: OpenedConnection | None = None
        self.busy = False  # with a request under way
        self.planned = 0
        self.request = 0
        self.flags = 0
        self.closed_early = False  # before the dial returned
        self.first = False  # the first that the run has dialled
