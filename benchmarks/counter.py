"""Measures the counter of users online, beside the book's. Run by `make bench-counter`."""

import argparse
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg

from async_api.nearest_rank import nearest_rank
from async_views.runtime.postgres import embedded
from async_views.runtime.postgres.embedded import EmbeddedPostgresError
from benchmarks.clients.crowd import Crowd, crowd
from benchmarks.options import positive
from benchmarks.results.report import aligned
from benchmarks.servers.peers import under_uvicorn
from benchmarks.servers.server import Server, ServerFailed, Serving, started

BOOK = under_uvicorn("benchmarks.servers.applications.starlette_counter:application")
SITE = Server(("-m", "gunicorn"), ready_path="/healthz")
ENVIRONMENT = {
    "PREPARE_ON_START": "1",
    "ONLINE_WITHOUT_ORIGIN": "1",
    "ONLINE_SOCKETS": "1000000",
    "ONLINE_SOCKETS_OF_AN_ADDRESS": "0",
    "LOG_LEVEL": "WARNING",
}
KILOBYTE = 1000
IDLE_SECONDS = 10
CHANGES = 50
CHURN_STAGES = 12
# A longer wait is given up: the work of the book's counter grows quadratically.
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `met` is None if there is no goal."""

    what: str
    goal: str
    ours: str
    book: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        verdict = {True: "met", False: "missed", None: ""}[self.met]
        return self.what, self.goal, self.ours, verdict, self.book


@dataclass(frozen=True, slots=True)
class Site:
    """The site under gunicorn, and the directory of its PostgreSQL."""

    serving: Serving
    database: Path

    def workers(self) -> list[psutil.Process]:
        master = psutil.Process(self.serving.process)
        return [child for child in master.children() if "gunicorn" in child.cmdline()]

    def leases(self) -> list[tuple[int, int]]:
        """Each worker's process ID and its number of open sockets."""
        with psycopg.connect(embedded.url(self.database)) as connection:
            return connection.execute(
                "SELECT pid, connections FROM online_lease"
            ).fetchall()


@contextmanager
def site(workers: int, **settings: str) -> Iterator[Site]:
    with TemporaryDirectory() as directory:
        database = Path(directory) / "postgres"
        with started(
            SITE,
            **ENVIRONMENT,
            **settings,
            WORKERS=str(workers),
            EMBEDDED_POSTGRES_DIR=str(database),
        ) as serving:
            yield Site(serving, database)


# --- Experiments; `part` is the fraction of the full size ---


def idle(part: float) -> Iterator[Row]:
    """Memory and CPU of idle sockets."""
    count = sized(10_000, part)
    with site(1) as our, crowd(our.serving.url) as clients:
        ours = memory_of(our.workers()[0], clients, count)
        before, began = our.serving.cpu_seconds(), time.monotonic()
        time.sleep(IDLE_SECONDS)
        busy = (our.serving.cpu_seconds() - before) / (time.monotonic() - began)
    fewer = sized(1_000, part)
    with started(BOOK) as serving, crowd(serving.url) as clients:
        theirs = memory_of(psutil.Process(serving.process), clients, fewer)
    yield Row(
        f"{count:,} idle sockets on one worker, memory per socket",
        "25 KB",
        f"{ours:.1f} KB",
        f"{theirs:.1f} KB ({fewer:,})",
        ours <= 25,
    )
    yield Row("… share of a core", "12 %", f"{busy:.1%}", "", busy <= 0.12)


def memory_of(worker: psutil.Process, clients: Crowd, count: int) -> float:
    """Kilobytes per socket."""
    # The first sockets also allocate what all share.
    clients.join(min(100, count))
    before = worker.memory_info().rss
    clients.join(count, count / 2_000)
    clients.agreed(min(100, count) + count, PATIENCE_SECONDS)
    return float(worker.memory_info().rss - before) / count / KILOBYTE


def change(part: float) -> Iterator[Row]:
    """The delay until a join or leave has reached every socket."""
    count = sized(10_000, part)
    with site(2) as our, crowd(our.serving.url) as clients:
        clients.join(count, count / 1_000)
        ours = seconds_to_the_last(clients, count)
    yield Row(
        f"change → last of {count:,} sockets, 2 workers, p99",
        "500 ms",
        milliseconds(ours),
        "",
        ours <= 0.5,
    )


def seconds_to_the_last(clients: Crowd, count: int) -> float:
    """The p99 of that delay over many changes."""
    clients.agreed(count, PATIENCE_SECONDS)
    took = []
    for number in range(CHANGES):
        changing = clients.only(number % len(clients.pipes))
        began = time.monotonic()
        if number % 2:
            changing.call("leave", 1)
        else:
            changing.call("join", 1, 0.0)
        expected = count + (number + 1) % 2
        took.append(clients.agreed(expected, PATIENCE_SECONDS) - began)
        # Irregular pauses, so as not to run in step with the workers' timers.
        time.sleep(0.25 + number % 7 / 20)
    return sorted(took)[nearest_rank(range(len(took)), 99)]


def joins(part: float) -> Iterator[Row]:
    """Many joins in a short time."""
    count, fewer = sized(5_000, part), sized(1_000, part)
    with site(2) as our, crowd(our.serving.url) as clients:
        agreed, frames, busiest = storm(clients, count, 5 * part)
    with started(BOOK) as serving, crowd(serving.url) as clients:
        theirs, their_frames, their_busiest = storm(clients, fewer, part)
    yield Row(
        f"{count:,} joins in {5 * part:g} s, from the last join until all agree",
        "1 s",
        milliseconds(agreed),
        f"{milliseconds(theirs)} ({fewer:,})",
        agreed <= 1,
    )
    yield Row(
        "… most frames per second on a socket",
        "6",
        str(busiest),
        f"{their_busiest} ({fewer:,})",
        busiest <= 6,
    )
    yield Row(
        "… frames in total",
        "",
        f"{frames:,}",
        f"{their_frames:,} ({fewer:,}; its square is {fewer**2:,})",
    )


def storm(clients: Crowd, count: int, seconds: float) -> tuple[float, int, int]:
    last = clients.join(count, seconds)
    agreed = clients.agreed(count, PATIENCE_SECONDS)
    return (
        agreed - last,
        sum(clients.call("frames")),
        max(clients.call("busiest")),
    )


def kill(part: float) -> Iterator[Row]:
    """kill -9 of a worker with many sockets."""
    count = sized(4_000, part)
    with site(2) as our, crowd(our.serving.url) as clients:
        clients.join(count, count / 1_000)
        clients.agreed(count, PATIENCE_SECONDS)
        killed, lost = max(our.leases(), key=lambda lease: lease[1])
        began = time.monotonic()
        os.kill(killed, signal.SIGKILL)
        took = clients.agreed(count - lost, PATIENCE_SECONDS) - began
    yield Row(
        f"kill -9 of a worker with {lost:,} of {count:,}, count correct after",
        "3 s",
        milliseconds(took),
        "",
        took <= 3,
    )


def stalled(part: float) -> Iterator[Row]:
    """Some of many clients stop reading."""
    count, stalling = sized(2_000, part), sized(100, part)
    # Without pings no client is disconnected, which would disturb the measured changes.
    patient = {"SOCKET_PING_SECONDS": "3600"}
    with site(2, **patient) as our, crowd(our.serving.url) as clients:
        clients.join(count, count / 1_000)
        before = seconds_to_the_last(clients, count)
        clients.only(0).call("stall", stalling)
        during = seconds_to_the_last(clients, count)
    with site(2) as our, crowd(our.serving.url) as clients:
        clients.join(count, count / 1_000)
        clients.agreed(count, PATIENCE_SECONDS)
        began = time.monotonic()
        clients.only(0).call("stall", stalling)
        evicted = clients.agreed(count - stalling, PATIENCE_SECONDS) - began
    slower = during / before - 1
    yield Row(
        f"{stalling} of {count:,} stop reading, increase of the others' p99",
        "10 %",
        f"{slower:.0%} ({milliseconds(before)} to {milliseconds(during)})",
        "",
        slower <= 0.1,
    )
    yield Row(
        "… until they are no longer counted",
        "15 s",
        milliseconds(evicted),
        "",
        evicted <= 15,
    )


def database(part: float) -> Iterator[Row]:
    """PostgreSQL is down for half a minute."""
    count, away_seconds = sized(2_000, part), 30 * part
    with site(2) as our, crowd(our.serving.url) as clients:
        clients.join(count, count / 1_000)
        clients.agreed(count, PATIENCE_SECONDS)
        pid = int((our.database / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        psutil.Process(pid).wait()
        away = time.monotonic()
        clients.join(2 * len(clients.pipes))
        time.sleep(max(0.0, away + away_seconds - time.monotonic()))
        number = count + 2 * len(clients.pipes)
        lost = number - sum(clients.call("open"))
        with embedded.hold(our.database):
            returned = time.monotonic()
            took = clients.agreed(number, PATIENCE_SECONDS) - returned
    yield Row(
        f"PostgreSQL down for {away_seconds:g} s with {count:,} sockets, sockets lost",
        "0",
        str(lost),
        "",
        lost == 0,
    )
    yield Row(
        "… count correct after its return", "2 s", milliseconds(took), "", took <= 2
    )


def stop(part: float) -> Iterator[Row]:
    """SIGTERM while some clients do not read."""
    count, stalling = sized(2_000, part), sized(100, part)
    with site(2) as our, crowd(our.serving.url) as clients, embedded.hold(our.database):
        clients.join(count, count / 1_000)
        clients.agreed(count, PATIENCE_SECONDS)
        clients.only(0).call("stall", stalling)
        workers = our.workers()
        began = time.monotonic()
        psutil.Process(our.serving.process).terminate()
        codes: dict[int | None, int] = {}
        for each in clients.call("codes", PATIENCE_SECONDS):
            for code, number in each.items():
                codes[code] = codes.get(code, 0) + number
        closed = time.monotonic() - began
        psutil.wait_procs(workers, PATIENCE_SECONDS)
        ended = time.monotonic() - began
        leases = our.leases()
    others = count - stalling
    yield Row(
        f"SIGTERM with {count:,} sockets, {stalling} of which do not read: closed with 1012",
        f"{others:,} in 2 s",
        f"{codes.get(1012, 0):,} in {milliseconds(closed)}",
        "",
        codes.get(1012, 0) == others and closed <= 2,
    )
    yield Row(
        "… until the workers have exited", "5 s", milliseconds(ended), "", ended <= 5
    )
    yield Row("… leases left", "0", str(len(leases)), "", not leases)


def churn(part: float) -> Iterator[Row]:
    """Random joins and leaves, for an hour at full size; checked twelve times."""
    seconds, most = 3_600 * part, sized(2_000, part)
    half, turns, drifts, memory = CHURN_STAGES // 2, 0, [], []
    with site(2) as our, crowd(our.serving.url) as clients:
        fill_each(our, clients, most)
        for _ in range(CHURN_STAGES):
            turns += sum(clients.call("churn", seconds / CHURN_STAGES, most // 2))
            number = sum(clients.call("open"))
            agreed = math.isfinite(clients.agreed(number, PATIENCE_SECONDS))
            open_in, held_by = dict(our.leases()), resident(our.workers())
            written = sum(open_in.values())
            drifts.append(abs(written - number) if agreed else math.inf)
            memory.append(sum(held_by.values()))
            lines = [
                f"{held / 1_000_000:.1f} MB with {open_in.get(process, 0):,}"
                for process, held in held_by.items()
            ]
            print("; ".join(lines), file=sys.stderr, flush=True)
    yield Row(
        f"churn for {seconds:,.0f} s, {turns:,} joins and leaves: drift",
        "0",
        f"{max(drifts):,.0f}" if math.isfinite(max(drifts)) else "no agreement",
        "",
        not any(drifts),
    )
    before, after = max(memory[:half]), max(memory[half:])
    yield Row(
        f"… growth of the workers' memory from the first half"
        f" ({before / 1_000_000:.0f} MB) to the second",
        "1 %",
        f"{after / before - 1:.1%}",
        "",
        after / before <= 1.01,
    )


def fill_each(our: Site, clients: Crowd, most: int) -> None:
    """Makes each worker hold all sockets once.

    Sockets are distributed over the workers at random, and a worker keeps the memory of its
    largest number. Without this, memory would grow with each new maximum.
    """
    workers = our.workers()
    for worker in workers:
        others = [each for each in workers if each != worker]
        for other in others:
            other.suspend()
        try:
            clients.call("become", most // 2)
        finally:
            for other in others:
                other.resume()
        clients.call("become", 0)


def resident(workers: Sequence[psutil.Process]) -> dict[int, int]:
    """The bytes of memory that each process holds."""
    return {each.pid: each.memory_info().rss for each in workers}


EXPERIMENTS: dict[str, Callable[[float], Iterator[Row]]] = {
    "idle": idle,
    "change": change,
    "joins": joins,
    "kill": kill,
    "stalled": stalled,
    "database": database,
    "stop": stop,
    "churn": churn,
}


def sized(count: int, part: float) -> int:
    """That part of the full size, rounded to an even number for two client processes."""
    return max(2, round(count * part / 2) * 2)


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms" if math.isfinite(seconds) else "never"


def main() -> int:
    """Returns exit status 0 if the measurement completed, and 2 if it could not run."""
    options = parser().parse_args()
    # Each socket is an open file in the client processes too.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(f"Load average before: {os.getloadavg()[0]:.2f} (0 is best)\n", flush=True)
    rows = []
    try:
        for name in options.only or EXPERIMENTS:
            for row in EXPERIMENTS[name](options.percent / 100):
                print("  ".join(filter(None, row.cells())), flush=True)
                rows.append(row)
    except (ServerFailed, EmbeddedPostgresError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print("\n" + "\n".join(aligned(table(rows))))
    return 0


def table(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    heads = ("", "at most", "this site", "", "the book's")
    return [heads, *(row.cells() for row in rows)]


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser("benchmarks.counter", description=__doc__)
    options.add_argument(
        "--only",
        choices=list(EXPERIMENTS),
        action="append",
        default=[],
        help="an experiment to run; may be repeated",
    )
    options.add_argument(
        "--percent",
        type=positive,
        default=100,
        help="percentage of the full size (100)",
    )
    return options


if __name__ == "__main__":
    sys.exit(main())
