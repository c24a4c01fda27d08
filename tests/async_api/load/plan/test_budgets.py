"""Budgets as people write them."""

import pytest

from async_api.load.plan.budgets import Budget, parse_budget


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("p95<200ms", ("percentile", "<", 200_000, "plan", 95)),
        ("plan.p50 < 50ms", ("percentile", "<", 50_000, "plan", 50)),
        ("send.p99<=1s", ("percentile", "<=", 1_000_000, "send", 99)),
        ("ttfb.p99.9<250µs", ("percentile", "<", 250, "ttfb", 99.9)),
        ("p100<250\u03bcs", ("percentile", "<", 250, "plan", 100)),
        ("p0>1us", ("percentile", ">", 1, "plan", 0)),
        ("mean<1.5ms", ("mean", "<", 1500, "plan", None)),
        ("send.max<2s", ("max", "<", 2_000_000, "send", None)),
        ("failed<1%", ("failed", "<", 0.01, None, None)),
        ("errors<=0%", ("errors", "<=", 0, None, None)),
        (" rate >= 480.5 /s ", ("rate", ">=", 480.5, None, None)),
    ],
)
def test_a_budget_has_its_bound_in_base_units(
    text: str, budget: tuple[str, str, float, str | None, float | None]
) -> None:
    metric, comparison, bound, latency, percentile = budget

    parsed = parse_budget(text)

    assert (parsed.metric, parsed.comparison) == (metric, comparison)
    assert parsed.bound == pytest.approx(bound)
    assert (parsed.latency, parsed.percentile) == (latency, percentile)
    assert parsed.text == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a metric, one of < <= > >= and a number"),
        ("p95=200ms", "valid are p95<200ms, send.p99<=1s"),
        ("p95<-1ms", "must be a metric"),
        ("p95<200", "the number has no unit here; write one of us, µs, ms, s"),
        ("p95<200m", "the unit m is not valid here"),
        ("p101<2s", "p101 is not a metric; valid are p0 to p100"),
        ("p<2s", "p is not a metric"),
        ("median<2s", "median is not a metric"),
        ("wire.p95<2s", "wire is not a clock; valid are plan (the default), send"),
        ("send.failed<1%", "failed is not a time; write it without send."),
        ("failed<1", "the number has no unit here; write one of %, as failed<1%"),
        ("errors<101%", "a share is at most 100%"),
        ("failed<0%", "no share is less than 0%; write failed<=0% for none at all"),
        ("rate>=480", "write one of /s, as rate>=480/s"),
    ],
)
def test_a_budget_that_is_not_valid_says_what_would_be(text: str, said: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse_budget(text)

    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("comparison", "kept"),
    [("<", [1]), ("<=", [1, 2]), (">", [3]), (">=", [2, 3])],
)
def test_a_budget_compares_with_its_bound(comparison: str, kept: list[int]) -> None:
    budget = parse_budget(f"rate{comparison}2/s")

    assert isinstance(budget, Budget)
    assert [value for value in (1, 2, 3) if budget.is_kept_by(value)] == kept
