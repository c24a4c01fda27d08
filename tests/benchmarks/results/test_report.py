"""Reports show the measured numbers, and whether the goals are met."""

from benchmarks.clients.run import Run
from benchmarks.measuring.memory import Footprint
from benchmarks.measuring.race import PROBE, TEXTBOOK, WRK
from benchmarks.results.goals import fast_enough, given_back, small_enough, true_enough
from benchmarks.results.report import Finding, as_json, as_text, goal_line, runs_table

RUNS = {
    WRK: (Run(10_000, 50_000, 60_000), Run(20_000, 50_000, 60_000)),
    PROBE: (Run(5_000, 51_000, 70_000), Run(6_000, 55_000, 70_000)),
    TEXTBOOK: (Run(1_000, 500_000, 900_000), Run(1_000, 500_000, 900_000)),
}


def test_a_finding_is_printed_as_a_table_and_its_goals() -> None:
    finding = Finding("A race", runs_table(RUNS), (fast_enough(RUNS),), RUNS)

    assert as_text(finding) == "\n".join(
        (
            "A race",
            "             requests per second        p50                     p99",
            "  wrk        15,000 (10,000 to 20,000)  50 ms                   60 ms",
            "  the probe  5,500 (5,000 to 6,000)     53 ms (51 ms to 55 ms)  70 ms",
            "  textbook   1,000                      500 ms                  900 ms",
            "Requests per second, relative to wrk: 0.40 (0.30 to 0.50), "
            "goal at least 0.4: met",
        )
    )


def test_a_finding_keeps_every_number_for_programs() -> None:
    finding = as_json(Finding("A race", (), (true_enough(RUNS),), RUNS))

    assert finding["measured"][PROBE][1] == {
        "requests_per_second": 6_000,
        "p50": 55_000,
        "p99": 70_000,
    }
    assert finding["goals"][0]["met"] is False


def test_memory_goals_are_for_the_peak_and_for_growth() -> None:
    modest = Footprint(peak=5_000_000, kept=4_000_000)
    footprints = {"json": (modest, Footprint(peak=9_000_000, kept=7_000_000))}

    assert goal_line(small_enough(footprints)).endswith("goal at most 10: met")
    assert goal_line(given_back(footprints)).endswith("goal at most 2: missed")
