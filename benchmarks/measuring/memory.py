"""What does a probe cost a worker of the site in memory, and does it give it back?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from benchmarks.servers.target import Target, running
from benchmarks.servers.worker import Worker, site_worker

FORMATS = ("json", "html")
WARM_UP_REQUESTS = 10
REQUESTS, CONCURRENCY = 1_000, 200
PROBES = 5  # in a row: a leak adds up, what is kept for the next one does not
DELAY_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Footprint:
    """One probe's bytes, compared with the worker before the first one."""

    peak: int  # while it ran
    kept: int  # once it was answered


Footprints = Mapping[str, Sequence[Footprint]]  # of each format, in order


def footprints(target_core: int) -> Footprints:
    """Each format on a worker of its own, which has served a small probe before."""
    with running(
        Target(under_uvicorn=False, delay_seconds=DELAY_SECONDS), target_core
    ) as url:
        measured = {}
        for format_name in FORMATS:
            with site_worker() as worker:
                worker.get(question(url, WARM_UP_REQUESTS, format_name))
                measured[format_name] = tuple(probe_often(worker, url, format_name))
        return measured


def probe_often(worker: Worker, url: str, format_name: str) -> Iterator[Footprint]:
    before = worker.resident_bytes()
    for _ in range(PROBES):
        worker.forget_peak()
        worker.get(question(url, REQUESTS, format_name))
        yield Footprint(worker.peak_bytes() - before, worker.resident_bytes() - before)


def question(url: str, requests: int, format_name: str) -> str:
    concurrency = min(requests, CONCURRENCY)
    return "/requests/?" + urlencode(
        {
            "url": url,
            "request_num": requests,
            "concurrency": concurrency,
            "format": format_name,
        }
    )
