"""Requests are counted on both sides of a target that disturbs every second one."""

import os

from async_api.load.recording import NEVER, Outcome, Recording
from benchmarks.experiments.accounts import Account, account, counts


def test_only_what_was_sent_is_counted() -> None:
    recording = Recording()
    for sent, outcome in (
        (10, 200),
        (10, 503),
        (10, Outcome.DISCONNECTED),
        (NEVER, Outcome.CONNECT),
        (NEVER, Outcome.SHED),
    ):
        recording.add(0, sent, NEVER, 20, 0, outcome, 0, 0, 0)

    assert counts(recording) == (3, 2, 1)


def test_an_account_differs_by_what_is_missing_on_either_side() -> None:
    assert Account("reset", "closed", 10, 5, 5, 10).differences == (0, 0)
    assert Account("reset", "closed", 10, 5, 4, 10).differences == (1, 0)
    assert Account("reset", "closed", 10, 5, 5, 11).differences == (0, 1)


def test_a_run_against_a_real_target_is_accounted_for() -> None:
    core = min(os.sched_getaffinity(0))

    found = account("half closed", "closed", core)

    assert found.differences == (0, 0)
    assert (found.answered, found.failed) == (1_000, 1_000)
