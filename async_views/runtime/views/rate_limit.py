"""Rate limits, counted by each worker in its own memory.

Counting costs a request no I/O. In return a client whose requests reach several workers
has each worker's limit: at most WORKERS times the limit altogether.

Time is divided into windows that begin at the same moments for all clients, so that a
window's counts can be dropped at once. A client that uses up one window at its end and the
next at its beginning gets twice the limit in a short time, but not over a longer one.
"""

import ipaddress
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from heapq import nlargest

from django.http import HttpRequest

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.handler.header_fields import Field, HeaderFields

MAX_SUBJECTS = 10_000


@dataclass(frozen=True)
class Policy:
    """The number of requests that a subject may make in a window of `seconds`.

    Requests under the same name are counted together.
    """

    name: str
    limit: int
    seconds: int

    @cached_property
    def field(self) -> Field:
        """The RateLimit-Policy field, the same for every subject."""
        return Field(
            "RateLimit-Policy", f'"{self.name}";q={self.limit};w={self.seconds}'
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What a subject has left of a policy, and the seconds until the window ends."""

    policy: Policy
    remaining: int
    reset_seconds: int

    def fields(self) -> HeaderFields:
        """The header fields of draft-ietf-httpapi-ratelimit-headers-10 (not an RFC).

        https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
        """
        standing = f'"{self.policy.name}";r={self.remaining};t={self.reset_seconds}'
        return {
            "ratelimit-policy": self.policy.field,
            "ratelimit": ("RateLimit", standing),
        }


@dataclass(slots=True)
class Window:
    """The requests of each subject until ``ends``, in Unix time."""

    ends: int
    counts: dict[str, int] = field(default_factory=dict)

    def make_room(self, max_subjects: int) -> None:
        """Keeps the busier half of the subjects; the others start again at zero.

        That way many clients that send a little cannot push out one that sends a lot.
        """
        # Copied to a list at once: under WSGI other threads may be counting.
        counts = list(self.counts.items())
        self.counts = dict(
            nlargest(max_subjects // 2, counts, key=lambda count: count[1])
        )


class RateLimits:
    """The counts of one worker. ``now`` returns the Unix time in seconds."""

    def __init__(
        self,
        max_subjects: int = MAX_SUBJECTS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.max_subjects = max_subjects
        self.now = now
        self.windows: dict[str, Window] = {}

    def take(self, subject: str, policy: Policy) -> Standing:
        """Counts one request; raises Problem 429, and does not count, if none is left.

        The subject names the client in words, such as "address 192.0.2.7".
        """
        now = self.now()
        window = self.windows.get(policy.name)
        if window is None or now >= window.ends:
            ends = (math.floor(now / policy.seconds) + 1) * policy.seconds
            window = self.windows[policy.name] = Window(ends)
        count = window.counts.get(subject, 0)
        remaining = policy.limit - count
        reset_seconds = math.ceil(window.ends - now)
        if remaining <= 0:
            raise refusal(subject, Standing(policy, 0, reset_seconds))
        if not count and len(window.counts) >= self.max_subjects:
            window.make_room(self.max_subjects)
        window.counts[subject] = count + 1
        return Standing(policy, remaining - 1, reset_seconds)


# This worker's.
rate_limits = RateLimits()


def address_subject(request: HttpRequest) -> str:
    """The client, as identified by its address."""
    return subject_of_address(request.META.get("REMOTE_ADDR", ""))


@lru_cache(MAX_SUBJECTS)
def subject_of_address(address: str) -> str:
    """An IPv4 address by itself; an IPv6 address as its /64, which one customer holds.

    Everything that is not an IP address (a proxy may pass on anything, and a Unix socket
    has none) is one subject.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "address unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return f"address {ipaddress.IPv6Network((int(parsed), 64), strict=False)}"
        parsed = parsed.ipv4_mapped
    return f"address {parsed}"


def refusal(subject: str, standing: Standing) -> Problem:
    policy = standing.policy
    return Problem(
        429,
        f"The {subject} has used up its {policy.limit} {policy.name} in {policy.seconds} "
        f"seconds. Try again in {standing.reset_seconds} seconds.",
        headers={
            "Retry-After": str(standing.reset_seconds),
            **dict(standing.fields().values()),
        },
    )
