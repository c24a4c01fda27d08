"""The count of users online, and when a worker writes or reads leases to keep it right.

Each worker holds a lease: a row with the number of its open sockets, which counts until it
expires by the clock of the store. A worker's count is its own current number plus those of
the others as it last read them.

Nothing here waits or accesses the store; presence.py does. ``now`` is in seconds by any
clock of this worker.
"""

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

# Of all workers together: each announcement blocks every other commit that notifies.
# https://www.recall.ai/blog/postgres-listen-notify-does-not-scale
MAX_ANNOUNCEMENTS_PER_SECOND = 200
# Added to an expiry, so that the store agrees.
EXPIRY_GRACE_SECONDS = 0.05


class Holder(Protocol):
    """The process that holds a lease; processes on its machine can check whether it lives."""

    @property
    def machine(self) -> str: ...

    def is_alive(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's row as it was read."""

    worker: UUID
    holder: Holder
    connections: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Times:
    """All in seconds."""

    flush: float = 0.1  # between two writes, or reads, that changes cause
    heartbeat: float = 3.0  # between two writes, which also read
    lease: float = 10.0  # until a write expires
    check: float = 1.0  # between two checks for dead workers on this machine
    retry: float = 0.5  # after the store failed to respond


class Step(enum.Enum):
    """What a worker does for its count. Of two that are due together, the first is next."""

    WRITE = enum.auto()  # its own number, and read the others'
    REMOVE = enum.auto()  # the leases of dead workers
    READ = enum.auto()  # all numbers
    CHECK = enum.auto()  # for dead workers on this machine


class Count:
    """One worker's count, with its own lease and those of the others.

    ``own`` is the number of its open sockets, set by the code that opens and closes them.
    """

    def __init__(self, worker: UUID, holder: Holder, times: Times) -> None:
        self.worker = worker
        self.holder = holder
        self.times = times
        self.own = 0
        self.others: tuple[Lease, ...] = ()
        # Dead workers of this machine whose leases are still in the store.
        self.dead: frozenset[UUID] = frozenset()
        # Our number in the store; None if it may have none.
        self.published: int | None = None
        self.is_hinted = False
        # The store did not respond last time.
        self.is_cut_off = False
        self.queried_at = -math.inf
        self.written_at = -math.inf
        self.read_at = -math.inf
        self.checked_at = -math.inf
        self.next_expiry = math.inf

    @property
    def total(self) -> int:
        return self.own + sum(lease.connections for lease in self.others)

    @property
    def flush_seconds(self) -> float:
        """Time between two writes, which grows with the number of workers."""
        return max(
            self.times.flush, (len(self.others) + 1) / MAX_ANNOUNCEMENTS_PER_SECOND
        )

    def next_step(self) -> tuple[float, Step]:
        """The time of the next step, and the step."""
        due = {
            Step.WRITE: self._write_due(),
            Step.REMOVE: -math.inf if self.dead and not self.is_cut_off else math.inf,
            Step.READ: self._read_due(),
            Step.CHECK: self._check_due(),
        }
        step = min(due, key=due.__getitem__)
        return due[step], step

    def _write_due(self) -> float:
        if self.is_cut_off:
            wait = self.times.flush if self.is_hinted else self.times.retry
            return self.queried_at + wait
        if self.own != self.published:
            return self.written_at + self.flush_seconds
        return self.written_at + self.times.heartbeat

    def _read_due(self) -> float:
        if self.is_cut_off:
            return math.inf
        due = self.next_expiry + EXPIRY_GRACE_SECONDS
        return min(due, self.read_at + self.times.flush) if self.is_hinted else due

    def _check_due(self) -> float:
        return self.checked_at + self.times.check if self.neighbours() else math.inf

    def neighbours(self) -> list[Lease]:
        """The other workers on this machine."""
        return [
            lease
            for lease in self.others
            if lease.holder.machine == self.holder.machine
        ]

    def hint(self) -> None:
        """Another worker has changed its number, or may have."""
        self.is_hinted = True

    def begin_query(self, now: float) -> None:
        """A query begins; hints from now on may be about changes that it does not see."""
        self.is_hinted = False
        self.queried_at = now
        if now - self.written_at >= self.times.lease:
            # This worker was suspended so long that its lease may have expired.
            self.published = None

    def wrote(self, now: float, connections: int, leases: Iterable[Lease]) -> bool:
        """The store has saved our number. Returns whether that is news to the others."""
        is_news = self.published != connections
        self.published = connections
        self.written_at = now
        self._take(now, leases)
        return is_news

    def read(self, now: float, leases: Iterable[Lease]) -> None:
        """The store has returned all leases, including ours."""
        leases = tuple(leases)
        ours = [lease for lease in leases if lease.worker == self.worker]
        # After a crash, PostgreSQL has lost our lease.
        self.published = ours[0].connections if ours else None
        self._take(now, leases)

    def removed(self) -> None:
        """The store has removed the leases of dead workers."""
        self.dead = frozenset()

    def failed(self, now: float) -> None:
        """The store did not respond; its last response remains in use."""
        self.queried_at = now
        self.is_cut_off = True
        self.published = None

    def check_processes(self, now: float) -> None:
        """Stops counting dead workers of this machine, even if the store has their leases."""
        self.checked_at = now
        dead = frozenset(
            lease.worker for lease in self.neighbours() if not lease.holder.is_alive()
        )
        self.dead |= dead
        self.others = tuple(each for each in self.others if each.worker not in dead)

    def _take(self, now: float, leases: Iterable[Lease]) -> None:
        self.is_cut_off = False
        self.read_at = now
        self.others = tuple(each for each in leases if each.worker != self.worker)
        self.check_processes(now)
        self.next_expiry = now + min(
            (lease.seconds_left for lease in self.others), default=math.inf
        )
