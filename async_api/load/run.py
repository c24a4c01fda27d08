"""One execution of a plan: everything the generator measured, before any arithmetic.

Times are whole microseconds after the run began, and durations whole microseconds.
"""

from dataclasses import dataclass, field

from async_api.load.plan.plan import Plan
from async_api.load.recording import Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedConnection:
    """How long a connection took to open, and where it leads."""

    opened: int  # when it was ready; negative where that was before the clock started
    address: str
    port: int
    lookup: int  # 0 where a lookup of this run was shared
    tcp: int
    tls: int = 0
    tls_version: str = ""
    cipher: str = ""
    certificate_expires: int | None = None  # seconds since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """The phases of one request, which add up to `total`."""

    lookup: int
    tcp: int
    tls: int
    send: int  # from the first byte written until all of the request was
    wait: int  # until the first byte of the response
    receive: int  # until its last byte
    server_timing: str = ""  # the header as the target sent it

    @property
    def total(self) -> int:
        return self.lookup + self.tcp + self.tls + self.send + self.wait + self.receive


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """The generator's own condition in one second of the run."""

    cpu: int  # CPU time of the process
    steal: int  # CPU time that the hypervisor gave to others, of one processor
    collecting: int  # time in garbage collections
    lag: int  # the longest time by which the event loop was late
    connections: int  # open at the end of the second
    in_use: int  # of those, with a request under way
    spinning: int = 0  # of `cpu`, spent yielding until a planned time
    queued: int = 0  # ready to run without a processor (Linux: /proc/self/schedstat)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstFailure:
    """The first failure of a kind, with a sentence about it."""

    kind: str
    time: int
    message: str
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the generator hands over at the end, or at its cancellation."""

    plan: Plan
    began: float  # seconds since 1970
    duration: int  # until the last outcome
    recording: Recording
    connections: tuple[OpenedConnection, ...] = ()  # the first 1,000
    opened: int = 0  # connections, in all
    lost: int = 0  # closed by the target between two requests
    replaced: int = 0  # of those, found closed as a request was to be sent
    reused: int = 0  # requests on a connection that had carried another
    strays: int = 0  # responses followed by bytes that belong to no response
    cold: Waterfall | None = None
    warm: Waterfall | None = None
    seconds: tuple[Second, ...] = ()
    failures: tuple[FirstFailure, ...] = field(default=())
    exhausted: str = ""  # the resource of this machine that ran out, such as "ports"
    same_machine: bool = False  # an address dialled belongs to this machine
    cancelled: bool = False
