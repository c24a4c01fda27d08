"""The load generator is run in a process of its own, and its result is read."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from async_api.load.plan.plan import Closed
from benchmarks.clients.load import (
    command,
    load,
    load_watched,
    plan_of,
    rate,
    started,
)
from benchmarks.clients.run import RunFailed
from benchmarks.measuring.sockets import wait_for_connections
from benchmarks.servers.announced import announced
from benchmarks.servers.server import CHECKOUT, Serving
from benchmarks.servers.target import Target, serve


@pytest.fixture(scope="module")
def target() -> Iterator[Serving]:
    core = min(os.sched_getaffinity(0))
    with announced(serve, Target(under_uvicorn=False), core) as serving:
        yield serving


def test_a_result_has_every_request_its_verdict_and_its_percentiles(
    target: Serving,
) -> None:
    done = load(plan_of(target.url, Closed(connections=4, requests=200)))

    assert list(done.run.recording.outcome) == [200] * 200
    assert len(list(done.from_plan())) == len(list(done.from_send())) == 200
    assert all(
        planned >= sent > 0
        for planned, sent in zip(done.from_plan(), done.from_send(), strict=True)
    )
    assert done.verdict in {"VALID", "SUSPECT", "INVALID"}
    p50 = {name: value for name, percent, value in done.percentiles if percent == 50}
    assert p50["plan"] == sorted(done.from_plan())[99]
    assert p50["send"] == sorted(done.from_send())[99]


def test_the_memory_of_the_generator_is_watched(target: Serving) -> None:
    plan = plan_of(target.url, Closed(connections=4, seconds=1))

    done, grown = load_watched(plan)

    assert len(done.run.recording)
    assert 0 <= grown < 100_000_000


def test_the_command_runs_as_its_users_run_it_and_ends_with_its_block(
    target: Serving,
) -> None:
    with started(target.url, 7, 60) as process:
        wait_for_connections(target.process, 7)
        assert process.poll() is None

    assert process.poll() is not None


def test_the_rate_of_the_command_is_read(target: Serving) -> None:
    words = command(sys.executable, target.url, 4, 1)
    done = subprocess.run(
        words, check=False, cwd=CHECKOUT, capture_output=True, text=True
    )

    assert rate(done.stdout) > 1, done.stderr


def test_a_target_that_is_refused_fails_the_run() -> None:
    with pytest.raises(RunFailed, match="not allowed"):
        load(plan_of("http://10.0.0.1/", Closed(connections=1, requests=1)))


def test_a_rate_with_failures_is_refused() -> None:
    report = {
        "rates": {"answered": 5.5},
        "statuses": {"200": 9},
        "counts": {"failed": 0},
    }

    assert rate(json.dumps(report)) == 5.5
    for trouble in ({"statuses": {"200": 9, "503": 1}}, {"counts": {"failed": 7}}):
        with pytest.raises(RunFailed, match="requests failed"):
            rate(json.dumps(report | trouble))
    with pytest.raises(RunFailed, match="cannot be read"):
        rate("")
