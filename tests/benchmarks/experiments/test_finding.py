"""A finding is shown with its goals, met or missed, and its notes."""

from benchmarks.clients.run import Spread
from benchmarks.experiments.finding import (
    Finding,
    as_markdown,
    as_text,
    every,
    within,
)
from benchmarks.results.goals import Goal

FINDING = Finding(
    "A race",
    (("", "rate"), ("ours", "90"), ("wrk", "100")),
    (Goal("Relative to wrk", Spread(0.9, 0.8, 1), 0.9, at_most=False),),
    ("hey is left out, because it has no program.",),
)


def test_a_finding_is_a_title_a_table_goals_and_notes() -> None:
    title, head, ours, wrk, goal, note = as_text(FINDING).splitlines()

    assert (title, head.split(), ours.split()) == ("A race", ["rate"], ["ours", "90"])
    assert goal == "Relative to wrk: 0.90 (0.80 to 1.00), goal at least 0.9: met"
    assert note == FINDING.notes[0]


def test_a_document_gets_the_same_words() -> None:
    lines = as_markdown(FINDING).splitlines()

    assert lines[0] == "### A race"
    assert "| ours | 90 |" in lines
    assert lines[-2:] == [f"- {line}" for line in as_text(FINDING).splitlines()[-2:]]


def test_a_ratio_within_a_tolerance_may_be_off_in_either_direction() -> None:
    def met(*ratios: float) -> list[bool]:
        return [goal.met for goal in within("ratio", ratios, 0.05)]

    assert met(0.94, 0.95, 1.2) == [True, True]
    assert met(0.94) == [False, True]
    assert met(1.06) == [True, False]


def test_what_must_never_happen_is_judged_by_its_largest_value() -> None:
    goal = every("left", [0, 0, 1], 0)

    assert not goal.met
    assert goal.measured == Spread(1, 0, 1)
    assert every("left", [0, 0], 0).met
