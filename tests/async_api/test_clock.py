from datetime import datetime

import pytest
from django.test import AsyncClient

from async_api.clock import time_of


def test_the_time_has_month_day_and_microseconds() -> None:
    now = datetime(2026, 11, 20, 10, 42, 20)

    assert time_of(now) == {"month": 11, "day": 20, "time": "10:42:20.000000"}


async def test_the_time_is_the_current_time() -> None:
    before = datetime.now()
    answer = (await AsyncClient().get("/time")).json()
    after = datetime.now()

    said = datetime.strptime(answer["time"], "%H:%M:%S.%f").time()
    if before.date() == after.date():
        assert before.time() <= said <= after.time()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
async def test_the_time_accepts_only_get_and_head_requests(method: str) -> None:
    response = await getattr(AsyncClient(), method)("/time")

    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert response.json()["detail"] == (
        f"{method.upper()} is not allowed here; allowed: GET, HEAD."
    )


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
async def test_the_time_takes_no_parameters(accept: str) -> None:
    response = await AsyncClient().get("/time?zone=UTC", headers={"accept": accept})

    assert response.status_code == 400
    assert "This is not a parameter here: it takes none." in response.content.decode()
