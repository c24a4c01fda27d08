"""Unknown and repeated parameters are reported, with what was probably meant."""

from urllib.parse import parse_qsl

import pytest
from django.http import QueryDict

from async_views.runtime.views.known_parameters import parameter_errors, repairs

KNOWN = ("url", "request_num", "format")


def test_known_parameters_that_are_given_once_are_not_reported() -> None:
    given = QueryDict("url=a&request_num=&format=json")

    assert parameter_errors(given, KNOWN) == []
    assert repairs(given, KNOWN) == []


def test_an_unknown_name_is_reported_with_its_value() -> None:
    [error] = parameter_errors(QueryDict("url=a&duration=10"), KNOWN)

    assert (error.field, error.value) == ("duration", "10")
    assert error.message == (
        "This is not a parameter here: it takes url, request_num and format."
    )


def test_a_name_that_is_given_twice_is_an_error() -> None:
    [error] = parameter_errors(QueryDict("url=a&url=b&url=a"), KNOWN)

    assert error.message == "This is given 3 times: give it once."


def test_a_thousand_names_are_reported_in_twenty_errors_and_a_count() -> None:
    given = QueryDict("&".join(f"p{number}={'x' * 999}" for number in range(1000)))

    errors = parameter_errors(given, KNOWN)

    assert len(errors) == 20
    assert errors[-1].message.endswith("980 more are wrong too.")
    assert sum(len(error.value) for error in errors) <= 20 * 200


@pytest.mark.parametrize(
    ("query", "offered"),
    [
        ("url=a&request_nun=5", ["url=a&request_num=5", "url=a"]),
        ("URL=a&format=json", ["url=a&format=json", "format=json"]),
        ("url=a&amp;format=json", ["url=a&format=json", "url=a"]),
        ("url=a&rate=10", ["url=a"]),
        ("url=a&rate=1&request_nun=5", ["url=a&request_num=5", "url=a"]),
        # The name that was probably meant has a value already.
        ("request_num=5&request_nun=6", ["request_num=5"]),
        ("url=a&url=b", ["url=a", "url=b"]),
        ("rate=10", []),
    ],
)
def test_the_likely_meaning_is_suggested(query: str, offered: list[str]) -> None:
    found = [parse_qsl(repair.query) for repair in repairs(QueryDict(query), KNOWN)]

    assert [sorted(pairs) for pairs in found] == [
        sorted(parse_qsl(each)) for each in offered
    ]


def test_a_suggestion_has_no_unknown_parameters() -> None:
    given = QueryDict("url=a%26b&url=c&x=1&request_nun=2&y=3")

    for repair in repairs(given, KNOWN):
        unknown = {name for name, _ in parse_qsl(repair.query)} - set(KNOWN)
        assert unknown == set() or repair.text.startswith("Only")
