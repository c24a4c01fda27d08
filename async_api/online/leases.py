"""What is the count, and what has to be done when so that it becomes right?

Each worker holds a lease: a row with how many sockets it has open, as an absolute number,
which counts until it expires by the clock of the store that keeps them all. A worker's
count is its own number as it is now, and those of the others as it read them last.

Nothing here waits, or asks the store: see presence.py for who does. ``now`` is always
seconds by a clock that only this worker has to understand.
"""

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

# So many announcements a second of all workers together: each locks out every other
# commit that notifies.
# https://www.recall.ai/blog/postgres-listen-notify-does-not-scale
MAX_ANNOUNCEMENTS_PER_SECOND = 200
# Just after a lease has expired, so that the store agrees.
EXPIRY_GRACE_SECONDS = 0.05


class Holder(Protocol):
    """The process that holds a lease; equal machines can tell whether it lives."""

    @property
    def machine(self) -> str: ...

    def is_alive(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's row, as it was read: so many seconds later it is over."""

    worker: UUID
    holder: Holder
    connections: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Times:
    """All in seconds."""

    flush: float = 0.1  # from one write, or read, that a change asks for to the next
    heartbeat: float = 3.0  # from one write, which reads as well, to the next
    lease: float = 10.0  # for which a write counts
    look: float = 1.0  # from one look at who has died on this machine to the next
    retry: float = 0.5  # after the store did not answer


class Step(enum.Enum):
    """What a worker does for its count. Of two that are due together, the first."""

    WRITE = enum.auto()  # its own number, and read what the others wrote
    REMOVE = enum.auto()  # the leases of the dead
    READ = enum.auto()  # what all wrote
    LOOK = enum.auto()  # who has died on this machine


class Count:
    """One worker's count, its lease, and what it knows of the others'.

    ``own`` is how many sockets it has open; whoever opens or closes one sets it.
    """

    def __init__(self, worker: UUID, holder: Holder, times: Times) -> None:
        self.worker = worker
        self.holder = holder
        self.times = times
        self.own = 0
        self.others: tuple[Lease, ...] = ()
        # Of others on this machine, whose leases are still in the store.
        self.dead: frozenset[UUID] = frozenset()
        # What the store has of us, and None where it may have nothing.
        self.published: int | None = None
        self.is_hinted = False
        # The store did not answer last time.
        self.is_cut_off = False
        self.asked_at = -math.inf
        self.written_at = -math.inf
        self.read_at = -math.inf
        self.looked_at = -math.inf
        self.next_expiry = math.inf

    @property
    def total(self) -> int:
        return self.own + sum(lease.connections for lease in self.others)

    @property
    def flush_seconds(self) -> float:
        """Between two writes: longer where many workers would announce theirs."""
        return max(
            self.times.flush, (len(self.others) + 1) / MAX_ANNOUNCEMENTS_PER_SECOND
        )

    def next_step(self) -> tuple[float, Step]:
        """When something is due, and what: not before, and as soon after as can be."""
        due = {
            Step.WRITE: self._write_due(),
            Step.REMOVE: -math.inf if self.dead and not self.is_cut_off else math.inf,
            Step.READ: self._read_due(),
            Step.LOOK: self._look_due(),
        }
        step = min(due, key=due.__getitem__)
        return due[step], step

    def _write_due(self) -> float:
        if self.is_cut_off:
            wait = self.times.flush if self.is_hinted else self.times.retry
            return self.asked_at + wait
        if self.own != self.published:
            return self.written_at + self.flush_seconds
        return self.written_at + self.times.heartbeat

    def _read_due(self) -> float:
        if self.is_cut_off:
            return math.inf
        due = self.next_expiry + EXPIRY_GRACE_SECONDS
        return min(due, self.read_at + self.times.flush) if self.is_hinted else due

    def _look_due(self) -> float:
        return self.looked_at + self.times.look if self.neighbours() else math.inf

    def neighbours(self) -> list[Lease]:
        """The other workers on this machine."""
        return [
            lease
            for lease in self.others
            if lease.holder.machine == self.holder.machine
        ]

    def hint(self) -> None:
        """Somebody has written something, or may have."""
        self.is_hinted = True

    def ask(self, now: float) -> None:
        """The store is about to be asked: what is hinted from now on, it may not know."""
        self.is_hinted = False
        self.asked_at = now
        if now - self.written_at >= self.times.lease:
            # We were stopped for so long that others may have seen our lease expire.
            self.published = None

    def wrote(self, now: float, connections: int, leases: Iterable[Lease]) -> bool:
        """The store has our number, and answers; returns whether others do not know it."""
        is_news = self.published != connections
        self.published = connections
        self.written_at = now
        self._take(now, leases)
        return is_news

    def read(self, now: float, leases: Iterable[Lease]) -> None:
        """The store says what it has, of us too."""
        leases = tuple(leases)
        ours = [lease for lease in leases if lease.worker == self.worker]
        # Else it has lost our lease, as a crash of PostgreSQL would.
        self.published = ours[0].connections if ours else None
        self._take(now, leases)

    def removed(self) -> None:
        """The store has no leases of the dead any more."""
        self.dead = frozenset()

    def failed(self, now: float) -> None:
        """The store did not answer. What it said last is the best that is known."""
        self.asked_at = now
        self.is_cut_off = True
        self.published = None

    def look(self, now: float) -> None:
        """Counts the dead of this machine no longer, whatever the store says of them."""
        self.looked_at = now
        dead = frozenset(
            lease.worker for lease in self.neighbours() if not lease.holder.is_alive()
        )
        self.dead |= dead
        self.others = tuple(each for each in self.others if each.worker not in dead)

    def _take(self, now: float, leases: Iterable[Lease]) -> None:
        self.is_cut_off = False
        self.read_at = now
        self.others = tuple(each for each in leases if each.worker != self.worker)
        self.look(now)
        self.next_expiry = now + min(
            (lease.seconds_left for lease in self.others), default=math.inf
        )
