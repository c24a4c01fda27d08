from typing import Any

import pytest
from django.test import AsyncClient

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


async def test_the_book_s_query_string_gets_a_page_that_says_the_seconds() -> None:
    response = await AsyncClient().get(
        PATH, {"sleep_time": "0", "num_calls": "5", "thread_sensitive": "False"}
    )

    assert response.status_code == 200
    assert "It took 0." in response.content.decode()


async def test_without_parameters_there_is_a_form() -> None:
    page = (await AsyncClient().get(PATH)).content.decode()

    for name in ("sleep_time", "num_calls", "thread_sensitive", "format"):
        assert f'name="{name}"' in page
    assert "It took" not in page


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
        ("format", "csv"),
    ],
)
async def test_a_bad_value_is_named(field: str, value: str) -> None:
    response = await AsyncClient().get(PATH, {field: value})

    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["field"], error["value"]) == (field, value)
    assert error["message"].endswith(".")


async def test_the_sleeps_together_are_capped() -> None:
    response = await AsyncClient().get(PATH, {"sleep_time": "10", "num_calls": "7"})

    assert response.status_code == 400
    assert "at most 60 s" in response.json()["detail"]
