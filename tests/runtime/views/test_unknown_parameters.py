"""Unknown query parameters are named, with what was probably meant."""

import pytest

from async_views.runtime.views.unknown_parameters import unknown_parameters
from tests.support.growth import assert_grows_no_faster_than_its_input

KNOWN = ("limit", "cursor", "order", "q", "brand_id")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("limt", "limit"),
        ("Limit", "limit"),
        ("amp;q", "q"),
        ("limit[]", "limit"),
        ("brandId", "brand_id"),
        ("brand-id", "brand_id"),
        ("brand", "brand_id"),
        ("order_by", "order"),
        ("curser", "cursor"),
    ],
)
def test_a_near_name_is_suggested(given: str, meant: str) -> None:
    said = unknown_parameters([given, "q"], KNOWN)

    assert said == [(given, f"is not a parameter here: did you mean {meant}?")]


@pytest.mark.parametrize("given", ["fields", "rate", "quantity", "", "x" * 10_000])
def test_without_a_near_name_the_known_ones_are_listed(given: str) -> None:
    said = unknown_parameters([given], KNOWN)

    assert said == [
        (
            given,
            "is not a parameter here: it takes limit, cursor, order, q and brand_id",
        )
    ]


def test_a_route_without_parameters_says_so() -> None:
    assert unknown_parameters(["fields"], ()) == [
        ("fields", "is not a parameter here: it takes none")
    ]


def test_known_names_are_not_reported() -> None:
    assert unknown_parameters(["q", "limit"], KNOWN) == []


def test_a_name_that_is_given_twice_is_named_once() -> None:
    said = unknown_parameters(["b", "a", "b"], KNOWN)

    assert [name for name, _ in said] == ["b", "a"]


def test_the_time_is_linear_in_the_number_of_names() -> None:
    def names(count: int) -> list[str]:
        return [f"{'limit' * 50}{number}" for number in range(count)]

    assert_grows_no_faster_than_its_input(
        names, lambda given: unknown_parameters(given, KNOWN), 20_000
    )


@pytest.mark.parametrize("given", ["rate", "duration", "header", "b"])
def test_a_name_that_shares_a_few_letters_is_not_near(given: str) -> None:
    known = ("url", "request_num", "concurrency", "timeout", "method", "format")

    [(_, message)] = unknown_parameters([given], known)

    assert "did you mean" not in message
