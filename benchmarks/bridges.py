"""Measures how experiments slow down the rest of the site. Run by `make bench-bridges`."""

import http.client
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from async_api.nearest_rank import nearest_rank
from benchmarks.clients.run import ratio
from benchmarks.options import rounds_parser
from benchmarks.results.goals import Goal
from benchmarks.servers.server import ServerFailed
from benchmarks.servers.worker import Worker, print_measured

PAGE = "/time"
WARM_UP_SECONDS = 1
MAX_RATIO = 1.2  # the p95 with experiments, as a multiple of the p95 without
CALLS = 4
# Each experiment, and how many of its sleeps run one after another.
CALLED = {"num_calls": str(CALLS)}
EXPERIMENTS = (
    ({"experiment": "sync_to_async", "thread_sensitive": "true"} | CALLED, CALLS),
    ({"experiment": "sync_to_async", "thread_sensitive": "false"} | CALLED, 1),
    ({"experiment": "blocking"} | CALLED, CALLS),
    ({"experiment": "chess_around_the_room"}, 1),
)


@dataclass(frozen=True, slots=True)
class Round:
    """The page's p95 in microseconds, without and with concurrent experiments."""

    quiet: int
    busy: int


def main() -> int:
    """Returns exit status 0 if the measurement completed, and 2 if it could not run."""
    options = rounds_parser("benchmarks.bridges", __doc__).parse_args()

    def measure(worker: Worker) -> str:
        p95(worker, WARM_UP_SECONDS)
        rounds = [take_round(worker, options.seconds) for _ in range(options.rounds)]
        return as_text(rounds)

    return print_measured(measure)


def take_round(worker: Worker, seconds: int) -> Round:
    quiet = p95(worker, seconds)
    with ThreadPoolExecutor(len(EXPERIMENTS)) as clients:
        # Each outlasts the measurement, so that four run throughout.
        running = [
            clients.submit(worker.get, path(experiment, (seconds + 1) / in_turn))
            for experiment, in_turn in EXPERIMENTS
        ]
        busy = p95(worker, seconds)
        for each in running:
            each.result()
    return Round(quiet, busy)


def path(experiment: dict[str, str], sleep_time: float) -> str:
    query = {"sleep_time": sleep_time, "format": "json"}
    return "/requests/sync_to_async?" + urlencode({**experiment, **query})


def p95(worker: Worker, seconds: int) -> int:
    return nearest_rank(sorted(times_of(worker, seconds)), 95)


def times_of(
    worker: Worker, seconds: int, over: threading.Event | None = None
) -> list[int]:
    """Response times of the page in microseconds, over one connection.

    Sends requests until `seconds` have passed or the event is set.
    """
    connection = http.client.HTTPConnection(urlsplit(worker.url).netloc)
    times = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end and not (over and over.is_set()):
        connection.request("GET", PAGE)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise ServerFailed(f"{PAGE} returned status {answer.status}.")
        times.append(round((time.perf_counter() - began) * 1_000_000))
    connection.close()
    return times


def as_text(rounds: Sequence[Round]) -> str:
    lines = [f"p95 of {PAGE}, microseconds", f"{'without':>10}{'with four':>12}"]
    lines += [f"{each.quiet:>10}{each.busy:>12}" for each in rounds]
    goal = hardly_slower(rounds)
    verdict = "met" if goal.met else "MISSED"
    lines.append(
        f"{goal.what}: {goal.measured.median:.2f} ({goal.measured.least:.2f} to "
        f"{goal.measured.most:.2f}), goal at most {goal.bound:g}: {verdict}"
    )
    return "\n".join(lines)


def hardly_slower(rounds: Sequence[Round]) -> Goal:
    slower = ratio([each.busy for each in rounds], [each.quiet for each in rounds])
    return Goal(
        "p95 with four experiments, relative to p95 without",
        slower,
        MAX_RATIO,
        at_most=True,
    )


if __name__ == "__main__":
    sys.exit(main())
