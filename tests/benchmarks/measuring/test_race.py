"""The probe's engine and the textbook client send the expected requests."""

import pytest

from benchmarks.clients.engine import run_engine
from benchmarks.clients.run import RunFailed
from benchmarks.clients.textbook import run_textbook
from tests.support.target import TargetServer


def test_the_engine_sends_the_given_requests_over_the_given_connections(
    target: TargetServer,
) -> None:
    run = run_engine(f"{target.url}/ok", connections=4, requests=40)

    assert len(target.asked) == 40
    assert target.connections == 4
    assert 0 < run.p50 <= run.p99


def test_the_textbook_client_sends_the_given_requests(target: TargetServer) -> None:
    run = run_textbook(f"{target.url}/ok", requests=40)

    assert len(target.asked) == 40
    assert 0 < run.p50 <= run.p99


def test_a_run_with_other_statuses_than_200_is_refused(
    target: TargetServer,
) -> None:
    with pytest.raises(RunFailed, match="503"):
        run_engine(f"{target.url}/status/503", connections=1, requests=1)
