"""The JSON document of a result has the words of the measurement."""

import json
from dataclasses import replace
from typing import Any

from async_api.load.recording import Outcome
from async_api.load.result.budgets import check_budgets
from async_api.load.result.formats.document import result_document
from async_api.load.result.measurement import measure
from async_api.load.result.verdict import judge
from async_api.load.run import OpenedConnection, Run, Waterfall
from tests.async_api.load.result.runs import MS, Sent, a_run


def document(run: Run) -> dict[str, Any]:
    found = measure(run)
    budgets = check_budgets(run.plan, found)
    whole = result_document(run, found, judge(run, found), budgets)
    read: dict[str, Any] = json.loads(json.dumps(whole, allow_nan=False))
    return read


def a_mixed_run() -> Run:
    run = a_run(
        [*[Sent(late=5 * MS)] * 80, Sent(outcome=Outcome.TIMEOUT)],
        exhausted="ports",
        warm=Waterfall(lookup=0, tcp=0, tls=0, send=1, wait=2, receive=3),
        connections=(
            OpenedConnection(opened=0, address="::1", port=80, lookup=1, tcp=2),
        ),
    )
    return replace(run, plan=replace(run.plan, budgets=("failed<1%",)))


def test_the_members_of_the_document_are_these() -> None:
    assert set(document(a_mixed_run())) == {
        *("version", "began", "duration", "measured_from", "cancelled", "verdict"),
        *("budgets", "counts", "rates", "bytes", "statuses", "failures"),
        *("successes", "errors", "failed", "requests", "connections", "lateness"),
        *("waits", "late_free", "late_waiting", "waterfalls", "seconds"),
    }


def test_numbers_and_words_are_those_of_the_run() -> None:
    found = document(a_mixed_run())

    assert found["version"] == 1
    assert found["began"] == "2023-11-14T22:13:20+00:00"
    assert found["verdict"]["verdict"] == "INVALID"
    assert found["verdict"]["reasons"][0]["code"] == "exhausted"
    assert found["verdict"]["reasons"][0]["severity"] == "INVALID"
    assert found["budgets"][0]["kept"] is False
    assert (found["counts"]["succeeded"], found["counts"]["failed"]) == (80, 1)
    assert found["statuses"] == {"200": 80}
    assert found["failures"][0]["kind"] == "timeout"
    p95 = found["successes"]["from_plan"]["percentiles"]["p95"]
    assert p95 == {
        "value": 15 * MS,
        "lower": 15 * MS,
        "upper": 15 * MS,
        "known": True,
    }
    p99 = found["successes"]["from_send"]["percentiles"]["p99"]
    assert (p99["upper"], p99["known"]) == (None, False)
    assert found["waterfalls"]["cold"] is None
    assert found["waterfalls"]["warm"]["total"] == 6
    assert found["connections"]["first"][0]["address"] == "::1"
    assert found["seconds"][0]["condition"]["cpu"] == 100 * MS


def test_a_run_without_requests_has_a_document() -> None:
    found = document(a_run([]))

    assert found["successes"]["from_plan"] is None
    assert found["counts"]["planned"] == 0
