"""The memory that a probe takes in a worker of the site, and how much of it stays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from benchmarks.servers.target import Target, running
from benchmarks.servers.worker import Worker, site_worker

FORMATS = ("json", "html")
WARM_UP_REQUESTS = 10
REQUESTS, CONCURRENCY = 1_000, 200
PROBES = 5  # in a row: a leak grows with each probe, memory kept for reuse does not
DELAY_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Footprint:
    """The bytes of one probe, compared with the worker before the first probe."""

    peak: int  # during the probe
    kept: int  # after the response


Footprints = Mapping[str, Sequence[Footprint]]  # by format, in order of the probes


def footprints(target_core: int) -> Footprints:
    """Measures each format on a new worker, which has served a small probe before."""
    with running(
        Target(under_uvicorn=False, delay_seconds=DELAY_SECONDS), target_core
    ) as url:
        measured = {}
        for format_name in FORMATS:
            with site_worker() as worker:
                worker.get(probe_path(url, WARM_UP_REQUESTS, format_name))
                measured[format_name] = tuple(probe_often(worker, url, format_name))
        return measured


def probe_often(worker: Worker, url: str, format_name: str) -> Iterator[Footprint]:
    before = worker.resident_bytes()
    for _ in range(PROBES):
        worker.forget_peak()
        worker.get(probe_path(url, REQUESTS, format_name))
        yield Footprint(worker.peak_bytes() - before, worker.resident_bytes() - before)


def probe_path(url: str, requests: int, format_name: str) -> str:
    concurrency = min(requests, CONCURRENCY)
    return "/requests/?" + urlencode(
        {
            "url": url,
            "request_num": requests,
            "concurrency": concurrency,
            "format": format_name,
        }
    )
