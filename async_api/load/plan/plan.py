"""The plan of a load run: frozen values that are valid once they exist.

`document` reads and writes them as JSON and refuses what is not valid.
"""

from dataclasses import dataclass, field
from typing import Literal

from async_api.outbound.targets import Target


@dataclass(frozen=True, slots=True)
class Header:
    """A header field as it is sent; a secret one is never shown."""

    name: str
    value: str
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What a response must be; one that is not is a failure of kind `unexpected`.

    Empty, a check accepts every response.
    """

    statuses: frozenset[int] | None = None  # None for every status below 400
    contains: str = ""  # text in the body
    matches: str = ""  # a regular expression found in the body
    header: str = ""  # the name of a header field that must be present
    minimum_bytes: int | None = None  # of the body
    maximum_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One kind of request. `weight` is its share among the requests of the plan."""

    target: Target
    name: str
    method: str = "GET"
    headers: tuple[Header, ...] = ()  # in the order sent, repeats included
    body: bytes = b""
    weight: int = 1
    checks: Checks = Checks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A fixed number of connections, each of which sends again once it has a response.

    Ends after `requests` requests or after `seconds`: exactly one of them is given.
    """

    connections: int
    requests: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A number of requests per second, whatever the target does.

    Poisson spacing draws the gaps from an exponential distribution, by `seed`.
    """

    rate: float  # requests per second
    seconds: float
    connections: int  # at most
    spacing: Literal["even", "poisson"] = "even"
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Several rates, or several numbers of connections, each held for some seconds."""

    of: Literal["rate", "connections"]
    values: tuple[float, ...]
    seconds: float  # of each step
    connections: int  # at most, where the steps are rates
    spacing: Literal["even", "poisson"] = "even"
    seed: int = 0


Load = Closed | Rate | Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How the requests reach the target."""

    keep_alive: bool = True  # otherwise a new connection for each request
    connect_first: bool = True  # open the connections before the clock starts
    ip: Literal["either", "4", "6"] = "either"
    connect_seconds: float = 5.0
    response_seconds: float = 30.0  # from the send to the last byte
    deadline_seconds: float | None = None  # from the planned time; then shed
    warm_up_seconds: float = 0.0  # requests planned in them are excluded
    insecure: bool = False  # accept any certificate
    ca_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run does. `budgets` are kept as written, such as ``p95<200ms``."""

    requests: tuple[Request, ...]
    load: Load
    conditions: Conditions = Conditions()
    budgets: tuple[str, ...] = field(default=())
