"""A connection of the pool, with the request that it carries."""

from typing import TYPE_CHECKING

from async_api.load.generator.sending.ledger import Due
from async_api.load.run import OpenedConnection
from async_api.load.wire.connection import Connection

if TYPE_CHECKING:
    from async_api.load.generator.sending.pool import Pool


class Channel:
    """Tells its pool of what the connection reports."""

    __slots__ = ("closed_early", "connection", "due", "first", "opened", "pool")

    def __init__(self, pool: "Pool") -> None:
        self.pool = pool
        self.connection: Connection | None = None  # until it is open
        self.opened: OpenedConnection | None = None
        self.due: Due | None = None  # the request under way
        self.closed_early = False  # before the dial returned
        self.first = False  # the first that the run has dialled

    def finished(self, connection: Connection) -> None:
        self.pool.finished(self, connection)

    def closed(self, connection: Connection) -> None:
        self.pool.closed(self, connection)
