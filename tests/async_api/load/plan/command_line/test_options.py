"""The options of a command line, and how errors name them."""

import pytest

from async_api.load.plan.command_line.given import PLAN_OPTIONS
from async_api.load.plan.command_line.options import add_plan_options, option_of
from tests.async_api.load.plan.command_line.parsing import Parser, parsed


def test_no_option_has_a_default_of_its_own() -> None:
    """The defaults are those of the document."""
    assert set(parsed().values()) == {None}
    assert set(parsed()) == {"plan", *PLAN_OPTIONS}


def test_the_help_says_how_secrets_are_kept_out_of_the_list_of_processes() -> None:
    parser = Parser(prog="load")
    add_plan_options(parser)

    text = " ".join(parser.format_help().split())
    assert "@FILE in place of a header, a token or a user" in text
    assert "failed<1%" in text


@pytest.mark.parametrize(
    "words",
    [
        ("--ipv4", "--ipv6"),
        ("--insecure", "--ca-file", "a"),
        ("--data", "a", "--data-json", "1"),
        ("--bearer", "a", "--user", "b:c"),
        ("--step-of", "seconds"),
    ],
)
def test_options_that_exclude_each_other_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="not allowed with argument|invalid choice"):
        parsed("http://a/", *words)


@pytest.mark.parametrize(
    ("location", "option"),
    [
        ("requests[0].url", "URL"),
        ("requests[0].headers[2].name", "--header"),
        ("requests[0].body.text", "--data"),
        ("requests[0].authentication.password", "--user"),
        ("requests[0].checks.statuses[1]", "--expect-status"),
        ("requests[0].checks", "--expect-size"),
        ("requests", "URL"),
        ("load.values[3]", "--steps"),
        ("load.rate", "--rate"),
        ("load", "--seconds"),
        ("conditions.warm_up_seconds", "--warm-up"),
        ("budgets[0]", "--budget"),
        ("--header", "--header"),
        ("", ""),
    ],
)
def test_an_error_is_one_of_an_option(location: str, option: str) -> None:
    assert option_of(location) == option


def test_an_error_in_a_plan_keeps_its_location() -> None:
    assert option_of("load.rate", {"plan": "-"}) == "load.rate"


def test_an_error_in_a_curl_command_names_which() -> None:
    both = {"curl": ["a", "b"], "curl_file": ["c"]}

    assert option_of("requests[0].url", both) == "--curl (1 of 3) url"
    assert option_of("requests[2].url", both) == "--curl-file (3 of 3) url"
    assert option_of("requests[1].url", both | {"url": "d"}) == "--curl (1 of 3) url"
    assert option_of("requests[0].url", both | {"url": "d"}) == "URL"
    assert option_of("requests[0].url", {"curl": ["a"]}) == "--curl url"
    assert option_of("requests", both) == "--curl"
    assert option_of("conditions.connect_seconds", both) == (
        "--curl conditions.connect_seconds"
    )
    assert option_of("conditions.connect_seconds", both | {"connect_timeout": "1"}) == (
        "--connect-timeout"
    )


def test_the_load_is_named_by_its_kind() -> None:
    assert option_of("load", {"rate": "5"}) == "--rate"
    assert option_of("load", {"steps": "5"}) == "--steps"
    assert option_of("load", {"requests": "5"}) == "--requests"
