"""The benchmark runs experiments for the given time, and compares medians with its goal."""

import json
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from benchmarks.bridges import EXPERIMENTS, Round, as_text, path
from tests.support.site import Site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.mark.parametrize(("experiment", "in_turn"), EXPERIMENTS)
def test_each_experiment_takes_the_given_time(
    site: Site, experiment: dict[str, str], in_turn: int
) -> None:
    with urlopen(site.url + path(experiment, 0.4 / in_turn), timeout=60) as answer:
        run = json.load(answer)

    assert run["experiment"] == experiment["experiment"]
    assert 0.4 <= run["seconds"] < 1.2


@pytest.mark.parametrize(
    ("busy", "printed"),
    [
        (119, "1.19 (1.00 to 1.19), goal at most 1.2: met"),
        (121, "1.21 (1.00 to 1.21), goal at most 1.2: MISSED"),
    ],
)
def test_the_median_of_the_rounds_decides(busy: int, printed: str) -> None:
    rounds = [Round(100, busy), Round(200, 2 * busy), Round(100, 100)]

    assert as_text(rounds).splitlines()[-1].endswith(printed)
    assert len(as_text(rounds).splitlines()) == 2 + len(rounds) + 1
