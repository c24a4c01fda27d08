"""Verdicts of repeated runs are counted."""

from benchmarks.experiments.verdicts import RUNS, Judged, invalid, row

INVALID = Judged("INVALID", ("generator_cpu", "lateness"), 9_000, 1_000)
VALID = Judged("VALID", ("same_machine",), 1_100, 1_000)


def test_every_run_has_to_be_invalid_or_none() -> None:
    some = [INVALID] * (RUNS - 1) + [VALID]

    assert invalid("above", [INVALID] * RUNS, RUNS, at_most=False).met
    assert not invalid("above", some, RUNS, at_most=False).met
    assert invalid("below", [VALID] * RUNS, 0, at_most=True).met
    assert not invalid("below", [VALID, INVALID], 0, at_most=True).met


def test_a_row_counts_each_reason() -> None:
    assert row("above", [INVALID, INVALID, VALID]) == (
        "above",
        "2",
        "generator_cpu 2, lateness 2, same_machine 1",
        "9 ms (1.1 ms to 9 ms)",
        "1 ms",
    )
