"""Is there room for one more socket?"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from async_views.runtime.views.rate_limit import subject_of_address


class NoRoom(Exception):
    """As many sockets as may be are open; the message says which bound was met."""


class Room:
    """So many sockets in this worker, and so many of them of one address; 0 for any."""

    def __init__(self, most: int, most_of_an_address: int) -> None:
        self.most = most
        self.most_of_an_address = most_of_an_address
        self.taken = 0
        self.taken_by: Counter[str] = Counter()

    @contextmanager
    def place(self, address: str) -> Iterator[None]:
        """A place for the block. Raises NoRoom, with nothing taken."""
        subject = subject_of_address(address)
        if self.taken >= self.most:
            raise NoRoom(
                f"This worker has {self.most} sockets open, as many as may be."
            )
        if 0 < self.most_of_an_address <= self.taken_by[subject]:
            raise NoRoom(
                f"The {subject} has {self.most_of_an_address} sockets open in this "
                "worker, as many as one may."
            )
        self.taken += 1
        self.taken_by[subject] += 1
        try:
            yield
        finally:
            self.taken -= 1
            self.taken_by[subject] -= 1
            if not self.taken_by[subject]:
                del self.taken_by[subject]
