from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import AsyncClient
from django.utils.html import escape

from async_api.bridges.experiments.registry import EXPERIMENTS, path_of

PATH = "/requests/sync_to_async"


async def seconds(**query: Any) -> float:
    response = await AsyncClient().get(PATH, query | {"format": "json"})
    assert response.status_code == 200, response.content
    return float(response.json()["seconds"])


@pytest.mark.parametrize("word", ["true", "True", "1", "yes"])
async def test_thread_sensitive_calls_take_turns(word: str) -> None:
    assert await seconds(sleep_time=0.1, num_calls=3, thread_sensitive=word) >= 0.3


@pytest.mark.parametrize("word", ["false", "False", "0", "no"])
async def test_other_calls_run_at_the_same_time(word: str) -> None:
    took = await seconds(sleep_time=0.2, num_calls=3, thread_sensitive=word)

    assert 0.2 <= took < 0.6


async def test_the_book_s_query_string_gets_a_page_with_the_seconds() -> None:
    response = await AsyncClient().get(
        PATH, {"sleep_time": "0", "num_calls": "5", "thread_sensitive": "False"}
    )

    assert response.status_code == 200
    assert "<dt>Actual</dt>" in response.content.decode()


async def test_without_parameters_the_page_shows_a_form() -> None:
    page = (await AsyncClient().get(PATH)).content.decode()

    for name in ("sleep_time", "num_calls", "thread_sensitive", "format"):
        assert f'name="{name}"' in page
    assert "<dt>Actual</dt>" not in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sleep_time", "-1"),
        ("sleep_time", "11"),
        ("sleep_time", "nan"),
        ("sleep_time", "long"),
        ("num_calls", "0"),
        ("num_calls", "21"),
        ("num_calls", "1.5"),
        ("thread_sensitive", "maybe"),
        ("experiment", "alchemy"),
        ("compare", "perhaps"),
        ("format", "csv"),
    ],
)
async def test_a_bad_value_is_named(field: str, value: str) -> None:
    response = await AsyncClient().get(PATH, {field: value})

    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["field"], error["value"]) == (field, value)
    assert error["message"].endswith(".")


class Shown(HTMLParser):
    """The values that a browser would submit for the form of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.within = ""
        self.feed(page.partition('<form class="question"')[2].partition("</form>")[0])

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        given = dict(attributes)
        if tag == "input":
            self.values[given["name"]] = given.get("value", "")
        elif tag == "select":
            self.within = given["name"]
        elif tag == "option" and (
            "selected" in given or self.within not in self.values
        ):
            self.values[self.within] = given["value"]


async def shown(**query: Any) -> dict[str, str]:
    return Shown((await AsyncClient().get(PATH, query)).content.decode()).values


DEFAULTS = {
    "experiment": "sync_to_async",
    "sleep_time": "0.5",
    "num_calls": "4",
    "thread_sensitive": "true",
    "compare": "false",
    "format": "html",
}


@pytest.mark.parametrize(
    ("query", "differing"),
    [
        ({}, {}),
        ({"sleep_time": "0"}, {"sleep_time": "0"}),
        ({"num_calls": "2", "sleep_time": "0"}, {"num_calls": "2", "sleep_time": "0"}),
        (
            {"sleep_time": "0", "thread_sensitive": "False", "compare": ""},
            {"sleep_time": "0", "thread_sensitive": "false"},
        ),
        (
            {"sleep_time": "0", "thread_sensitive": "no", "compare": "YES"},
            {"sleep_time": "0", "thread_sensitive": "false", "compare": "true"},
        ),
    ],
)
async def test_the_form_shows_what_ran_and_no_other_values(
    query: dict[str, str], differing: dict[str, str]
) -> None:
    assert await shown(**query) == DEFAULTS | differing


@pytest.mark.parametrize(
    ("experiment", "others"),
    [
        ("semaphore", {"at_once": "2", "compare": "false"}),
        ("gather", {"compare": "false"}),
        ("chess_around_the_room", {}),
    ],
)
async def test_the_form_of_every_experiment_shows_what_ran(
    experiment: str, others: dict[str, str]
) -> None:
    values = await shown(experiment=experiment, sleep_time="0")

    assert values | others == values
    assert values["experiment"] == experiment
    assert values["sleep_time"] == "0"
    assert "" not in values.values()


@pytest.mark.parametrize(
    ("field", "value", "selected"),
    [
        ("compare", "perhaps", "false"),
        ("thread_sensitive", "maybe", "true"),
        ("format", "xml", "html"),
    ],
)
async def test_an_invalid_choice_is_marked_and_the_default_is_selected(
    field: str, value: str, selected: str
) -> None:
    response = await AsyncClient().get(
        PATH, {field: value}, headers={"accept": "text/html"}
    )

    page = response.content.decode()
    assert response.status_code == 400
    assert f'id="id_{field}_error"' in page
    assert f"It was “{value}”." in page
    assert Shown(page).values[field] == selected


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("nope", "sync_to_async"), ("gathr", "gather"), ("Semaphore", "semaphore")],
)
async def test_an_unknown_experiment_is_marked_and_others_can_be_chosen(
    name: str, nearest: str
) -> None:
    response = await AsyncClient().get(
        PATH, {"experiment": name, "sleep_time": "1"}, headers={"accept": "text/html"}
    )

    page = response.content.decode()
    assert response.status_code == 400
    assert f"It was “{name}”." in page
    assert 'id="id_experiment_error"' in page
    assert Shown(page).values == {"experiment": nearest}
    for each in EXPERIMENTS:
        assert f'<option value="{each}"' in page
    sent = await AsyncClient().get(PATH, Shown(page).values)
    assert sent.status_code == 200


@pytest.mark.parametrize("path", [PATH, "/requests/async_to_sync/experiment"])
async def test_an_unknown_parameter_is_an_error_and_nothing_runs(path: str) -> None:
    query = {"sleep_time": "0", "num_cals": "3"}

    refused = await AsyncClient().get(path, query)
    shown = await AsyncClient().get(path, query, headers={"accept": "text/html"})

    [error] = refused.json()["errors"]
    assert refused.status_code == shown.status_code == 400
    assert (error["field"], error["value"]) == ("num_cals", "3")
    assert error["message"] == "This is not a parameter here: did you mean num_calls?"
    page = shown.content.decode()
    assert "Nothing was run" in page
    assert 'href="?sleep_time=0&amp;num_calls=3"' in page
    assert "<dt>Actual</dt>" not in page


@pytest.mark.parametrize(
    "query",
    [
        "experiment=gather&thread_sensitive=true",
        "experiment=gather&at_once=3",
        "experiment=chess_around_the_room&num_calls=3",
        "experiment=requests&compare=true",
        "sleep_time=0&sleep_time=1",
    ],
)
async def test_a_parameter_of_another_experiment_is_an_error(query: str) -> None:
    response = await AsyncClient().get(f"{PATH}?{query}")

    assert response.status_code == 400
    assert len(response.json()["errors"]) == 1


async def test_an_empty_experiment_is_the_view_s_default_and_does_not_run() -> None:
    page = (await AsyncClient().get(PATH, {"experiment": ""})).content.decode()

    assert Shown(page).values == DEFAULTS
    assert "<dt>Actual</dt>" not in page


async def test_the_sum_of_all_sleeps_is_limited() -> None:
    response = await AsyncClient().get(PATH, {"sleep_time": "10", "num_calls": "7"})

    assert response.status_code == 400
    assert "at most 60 s" in response.json()["detail"]


async def test_the_limit_of_the_semaphore_is_checked_too() -> None:
    response = await AsyncClient().get(
        PATH, {"experiment": "semaphore", "at_once": "0"}
    )

    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["field"], error["value"]) == ("at_once", "0")


async def test_an_exhibition_is_limited_by_its_longest_variant() -> None:
    response = await AsyncClient().get(
        PATH, {"experiment": "chess_around_the_room", "sleep_time": "6"}
    )

    assert response.status_code == 400
    assert "at most 60 s" in response.json()["detail"]


async def test_the_json_has_parameters_prediction_and_measurements() -> None:
    query = {"sleep_time": "0.01", "num_calls": "2", "format": "json"}

    answer = (await AsyncClient().get(PATH, query)).json()

    assert set(answer) == {
        "experiment", "sleep_time", "num_calls", "thread_sensitive", "seconds",
        "predicted_seconds", "reason", "executor", "threads", "event_loops", "lag",
        "calls", "versions", "compared_with", "server",
    }  # fmt: skip
    assert answer["experiment"] == "sync_to_async"
    assert answer["predicted_seconds"] == 0.02
    assert answer["reason"].endswith(".")
    assert answer["compared_with"] is None
    assert set(answer["versions"]) == {"python", "django", "asgiref"}
    assert set(answer["lag"]) == {"worst", "stalls"}
    assert [set(call) for call in answer["calls"]] == [
        {"lane", "activity", "start", "time", "thread"}
    ] * 2


@pytest.mark.parametrize("name", EXPERIMENTS)
async def test_an_experiment_without_parameters_is_a_form_that_has_not_run(
    name: str,
) -> None:
    experiment = EXPERIMENTS[name]

    response = await AsyncClient().get(path_of(experiment), {"experiment": name})

    page = response.content.decode()
    assert response.status_code == 200
    assert f"<h1>{experiment.title}</h1>" in page
    for parameter in ("sleep_time", "num_calls", "thread_sensitive", "at_once"):
        is_asked = f'id="id_{parameter}"' in page
        assert is_asked == (parameter in experiment.parameter_names)
    assert "<dt>Actual</dt>" not in page


async def test_every_experiment_has_a_link_and_a_description() -> None:
    page = (await AsyncClient().get(PATH)).content.decode()

    for experiment in EXPERIMENTS.values():
        assert f'name="experiment" value="{experiment.name}"' in page
        assert escape(experiment.shows) in page
    assert page.count("Predicted: ") == page.count(">Run<") >= len(EXPERIMENTS)


async def test_an_experiment_of_the_other_view_redirects_with_its_parameters() -> None:
    query = {"experiment": "async_to_sync", "sleep_time": "0.01"}

    response = await AsyncClient().get(PATH, query)

    assert response.status_code == 302
    assert response["Location"] == (
        "/requests/async_to_sync/experiment?experiment=async_to_sync&sleep_time=0.01"
    )


async def test_the_synchronous_view_runs_its_first_experiment_by_default() -> None:
    response = await AsyncClient().get(
        "/requests/async_to_sync/experiment", {"sleep_time": "0", "format": "json"}
    )

    assert response.json()["experiment"] == "async_to_sync"


async def test_a_link_compares_two_experiments_on_one_axis() -> None:
    query = {"experiment": "one_by_one", "sleep_time": "0.05", "compare": "true"}

    page = (await AsyncClient().get(PATH, query)).content.decode()
    answer = (await AsyncClient().get(PATH, query | {"format": "json"})).json()

    assert page.count('role="img"') == page.count("What ran when") == 2
    assert page.count(">200 ms</text>") == 2
    assert answer["experiment"] == "one_by_one"
    assert answer["compared_with"]["experiment"] == "gather"
    assert answer["compared_with"]["seconds"] < answer["seconds"]


async def test_a_result_links_to_its_comparison() -> None:
    query = {"experiment": "gather", "sleep_time": "0.01", "num_calls": "2"}

    page = (await AsyncClient().get(PATH, query)).content.decode()

    assert (
        'href="?experiment=gather&amp;sleep_time=0.01&amp;num_calls=2&amp;compare=true"'
        in page
    )


async def test_several_requests_are_sent_by_the_page_or_by_curl() -> None:
    query = {"experiment": "requests", "sleep_time": "0.1", "num_calls": "3"}

    page = (await AsyncClient().get(PATH, query)).content.decode()

    assert "curl -sZ" in page
    assert 'data-count="3"' in page
    assert "bridges/requests" in page
    assert "What ran when" not in page


async def test_accept_decides_if_no_format_is_given() -> None:
    response = await AsyncClient().get(
        PATH, {"sleep_time": "0"}, headers={"accept": "application/json"}
    )

    assert response["Content-Type"] == "application/json"


async def test_a_page_says_where_the_book_is_outdated_and_why() -> None:
    page = (await AsyncClient().get(PATH)).content.decode()

    assert "Since Django 4.0 each request has a context of its own" in page
