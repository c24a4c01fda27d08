"""The limit on open sockets, in a worker and for each address."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from async_views.runtime.views.rate_limit import subject_of_address


class SocketLimitReached(Exception):
    """No more sockets may be opened; the message says which limit was reached."""


class SocketLimit:
    """Counts this worker's open sockets, in all and by address.

    With `max_per_address` 0, one address may open all of them.
    """

    def __init__(self, maximum: int, max_per_address: int) -> None:
        self.maximum = maximum
        self.max_per_address = max_per_address
        self.open = 0
        self.open_by: Counter[str] = Counter()

    @contextmanager
    def slot(self, address: str) -> Iterator[None]:
        """Counts one socket while the block runs; raises SocketLimitReached instead."""
        subject = subject_of_address(address)
        if self.open >= self.maximum:
            raise SocketLimitReached(
                f"This worker has {self.maximum} sockets open, which is the limit."
            )
        if 0 < self.max_per_address <= self.open_by[subject]:
            raise SocketLimitReached(
                f"The {subject} has {self.max_per_address} sockets open in this worker, "
                "which is the limit for one."
            )
        self.open += 1
        self.open_by[subject] += 1
        try:
            yield
        finally:
            self.open -= 1
            self.open_by[subject] -= 1
            if not self.open_by[subject]:
                del self.open_by[subject]
