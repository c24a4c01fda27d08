"""Latencies are compared with wrk's round by round."""

from benchmarks.clients.run import Run
from benchmarks.experiments.delays import judged


def test_p50_may_differ_by_one_per_cent_and_p99_by_five() -> None:
    wrk = (Run(4_000, 50_000, 60_000),)

    def met(p50: int, p99: int) -> list[bool]:
        return [goal.met for goal in judged(200, (Run(4_000, p50, p99),), wrk)]

    assert met(50_400, 57_500) == [True] * 4
    assert met(50_600, 56_000) == [True, False, False, True]
    assert met(49_400, 64_000) == [False, True, True, False]
