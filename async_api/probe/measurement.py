"""Samples, percentiles, the summary of a probe, and the verdict on it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from async_api.drawing.duration import duration
from async_api.nearest_rank import nearest_rank
from async_api.outbound.failures import FailureKind
from async_api.probe.nearness import Nearness
from async_api.verdict_word import Word, worst

# Above this share of a CPU, some of the measured time is the probe's own work.
MAX_BUSY_SHARE = 0.9
# Microseconds. In a shorter probe, opening the connections alone keeps the CPU busy.
MIN_JUDGED_WALL_TIME = 50_000
# Microseconds. Garbage collection and new connections take this long on a healthy machine.
TOLERATED_LAG = 20_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One request's outcome: a response with a status, or a failure with a kind.

    Raises ValueError for one that has both or neither.
    """

    start: int  # microseconds after the probe began, when a worker took the request
    time: int  # microseconds from then to the last body byte, or to the failure
    status: int | None = None  # of the final response
    body_length: int = 0  # bytes of the body as sent, before any decompression
    redirects: int = 0
    kind: FailureKind | None = None
    message: str = ""  # for a failure, a sentence that explains it

    def __post_init__(self) -> None:
        if (self.status is None) == (self.kind is None):
            raise ValueError(
                "A sample has either a status or a failure kind, "
                f"not status={self.status} and kind={self.kind}."
            )

    @property
    def end(self) -> int:
        """Microseconds after the probe began."""
        return self.start + self.time

    @property
    def answered(self) -> bool:
        return self.kind is None

    @property
    def succeeded(self) -> bool:
        """Whether the status is below 400, so not an error.

        This is 2xx, 3xx, or 101: the one interim status (RFC 9110, section 15.2) that
        ends a response, where the target switches protocols unasked.
        """
        return self.status is not None and self.status < 400


@dataclass(frozen=True, slots=True)
class Latency:
    """Statistics of response times, in microseconds."""

    count: int
    minimum: int
    mean: float
    p50: int
    p75: int
    p90: int
    p95: int
    p99: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A probe in numbers, where sent = answered + failed and requested = sent + unsent."""

    requested: int
    sent: int
    answered: int
    failed: int
    unsent: int  # because the time budget ran out
    wall_time: int  # microseconds from the first request to the last outcome
    requests_per_second: float  # answered, divided by wall time
    bytes: int  # of all bodies, including incomplete ones
    statuses: dict[int, int]  # responses by status, in order of status
    failures: dict[str, int]  # failures by kind, in order of name
    reconnects: int  # requests that replaced a connection the target closed
    latency: Latency | None  # of successful responses
    other_latency: Latency | None  # of responses with an error status
    strays: int = 0  # responses followed by bytes that belong to no response


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a measurement can be trusted; each sentence is for a web developer."""

    verdict: Word
    trusted: bool  # whether the verdict is VALID
    reasons: tuple[str, ...]  # why it cannot be trusted
    notes: tuple[str, ...] = ()  # what to know about it, trusted or not


def latency(times: Iterable[int]) -> Latency | None:
    """The statistics of these times in microseconds; None when there are none."""
    ordered = sorted(times)
    if not ordered:
        return None
    return Latency(
        count=len(ordered),
        minimum=ordered[0],
        mean=sum(ordered) / len(ordered),
        p50=nearest_rank(ordered, 50),
        p75=nearest_rank(ordered, 75),
        p90=nearest_rank(ordered, 90),
        p95=nearest_rank(ordered, 95),
        p99=nearest_rank(ordered, 99),
        maximum=ordered[-1],
    )


def summarize(
    samples: Sequence[Sample],
    requested: int,
    wall_time: int,
    *,
    reconnects: int = 0,
    strays: int = 0,
) -> Summary:
    """Summarize a probe of `requested` requests that took `wall_time` microseconds."""
    statuses = Counter(sample.status for sample in samples if sample.status is not None)
    failures = Counter(sample.kind.value for sample in samples if sample.kind)
    answered = statuses.total()
    return Summary(
        requested=requested,
        sent=len(samples),
        answered=answered,
        failed=failures.total(),
        unsent=requested - len(samples),
        wall_time=wall_time,
        requests_per_second=answered * 1_000_000 / wall_time if wall_time else 0.0,
        bytes=sum(sample.body_length for sample in samples),
        statuses=dict(sorted(statuses.items())),
        failures=dict(sorted(failures.items())),
        reconnects=reconnects,
        strays=strays,
        latency=latency(sample.time for sample in samples if sample.succeeded),
        other_latency=latency(
            sample.time
            for sample in samples
            if sample.answered and not sample.succeeded
        ),
    )


def verdict(
    summary: Summary,
    *,
    busy: float,
    lag: int,
    nearness: Nearness = Nearness.ELSEWHERE,
) -> Verdict:
    """Whether the numbers describe the target rather than this site.

    `busy` is the share of the wall time that the measuring thread spent on the CPU.
    `lag` is the longest time, in microseconds, by which the event loop was late while
    the probe ran; a response that arrived meanwhile appears that much too slow. A lag is
    tolerated when it is small, or less than half of the median response time. The verdict
    is INVALID where this site's CPU was the limit, and SUSPECT for any other reason.
    """
    median = summary.latency.p50 if summary.latency else 0
    reasons: list[tuple[Word, str]] = []
    if nearness is Nearness.SAME_SITE:
        reasons.append(
            (
                Word.SUSPECT,
                "The target is this site itself: the requests compete with the probe for the "
                "same processes, so the times may be longer than visitors see. Measure it with "
                "manage.py probe, or from another machine.",
            )
        )
    if busy >= MAX_BUSY_SHARE and summary.wall_time >= MIN_JUDGED_WALL_TIME:
        reasons.append(
            (
                Word.INVALID,
                f"This site's own CPU was the limit, busy {min(busy, 1):.0%} of the time: "
                "the target may be faster than it looks. Try a lower concurrency.",
            )
        )
    if lag > max(TOLERATED_LAG, median / 2):
        reasons.append(
            (
                Word.SUSPECT,
                f"This site was blocked for {duration(lag)} while it measured, "
                "so some times may be too long by that much.",
            )
        )
    if summary.unsent:
        reasons.append(
            (
                Word.SUSPECT,
                f"The time budget ran out before {summary.unsent:,} of "
                f"{summary.requested:,} requests were sent: the numbers leave them out.",
            )
        )
    if summary.latency is None:
        reasons.append(
            (
                Word.SUSPECT,
                "No request was answered with 2xx or 3xx, so there is no response time to trust.",
            )
        )
    notes = _notes_on_percentiles(summary) + _notes_on_connections(summary)
    if nearness is Nearness.SAME_MACHINE:
        notes += ("The target runs on this machine and shares its processors.",)
    return Verdict(
        verdict=worst([word for word, _ in reasons]),
        trusted=not reasons,
        reasons=tuple(sentence for _, sentence in reasons),
        notes=notes,
    )


def _notes_on_percentiles(summary: Summary) -> tuple[str, ...]:
    if summary.latency is None:
        return ()
    succeeded = summary.latency.count
    # Nearest rank: p95 is the last of fewer than 20 values, p99 of fewer than 100.
    if succeeded < 20:
        return (
            f"With {succeeded} successful {'request' if succeeded == 1 else 'requests'}, "
            "p95 and p99 are just the slowest: send at least 100 requests for a meaningful p99.",
        )
    if succeeded < 100:
        return (
            f"With {succeeded} successful requests, p99 is just the slowest: "
            "send at least 100 requests for a meaningful p99.",
        )
    return ()


def _notes_on_connections(summary: Summary) -> tuple[str, ...]:
    notes = []
    if summary.reconnects:
        notes.append(
            f"{_requests(summary.reconnects)} needed a new connection, because the target "
            "closed one that it had promised to keep open: their times include connecting."
        )
    if summary.strays:
        notes.append(
            f"{_requests(summary.strays)} had a response followed by bytes that belong to "
            "no response: these were discarded, and the connection was closed."
        )
    return tuple(notes)


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count:,} requests"
