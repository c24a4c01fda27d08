"""Rate limits on reads and writes, by address and by token."""

import pytest
from django.http import HttpRequest
from django.test import AsyncRequestFactory
from pytest_django import Settings

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.handler.header_fields import HeaderFields
from async_views.runtime.views.rate_limit import RateLimits
from catalog.access import tokens
from catalog.access.limits import count_read, count_write


@pytest.fixture(autouse=True)
def few(settings: Settings) -> None:
    settings.CATALOG_READS_A_MINUTE = 4
    settings.CATALOG_WRITES_A_MINUTE = 2


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> RateLimits:
    own = RateLimits(now=lambda: 6_000_000.0)
    monkeypatch.setattr("catalog.access.limits.rate_limits", own)
    return own


def request_from(address: str = "192.0.2.1", secret: str | None = None) -> HttpRequest:
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    request = AsyncRequestFactory().get("/products", headers=headers)
    request.META["REMOTE_ADDR"] = address
    return request


def rate_limit_fields(fields: HeaderFields) -> dict[str, str]:
    return dict(fields.values())


def test_a_response_has_the_remaining_requests_of_its_address() -> None:
    assert rate_limit_fields(count_read(request_from())) == {
        "RateLimit-Policy": '"reads";q=4;w=60',
        "RateLimit": '"reads";r=3;t=60',
    }
    assert (
        rate_limit_fields(count_write(request_from()))["RateLimit"]
        == '"writes";r=1;t=60'
    )


def test_an_address_is_limited_whatever_it_sends() -> None:
    for _ in range(2):
        count_write(request_from(secret=tokens.new_secret()))

    with pytest.raises(Problem, match="The address 192.0.2.1 has used up its 2 writes"):
        count_write(request_from(secret=tokens.new_secret()))


def test_a_token_is_limited_wherever_it_is_sent_from() -> None:
    secret = tokens.new_secret()
    count_write(request_from("192.0.2.1", secret))
    left = rate_limit_fields(count_write(request_from("192.0.2.2", secret)))[
        "RateLimit"
    ]

    with pytest.raises(Problem) as refusal:
        count_write(request_from("192.0.2.3", secret))

    assert left == '"writes";r=0;t=60'
    assert tokens.subject_of(secret) in refusal.value.details.detail
    assert count_write(request_from("192.0.2.3"))


def test_zero_means_no_limit(limits: RateLimits, settings: Settings) -> None:
    settings.CATALOG_READS_A_MINUTE = 0

    assert [count_read(request_from()) for _ in range(10)] == [{}] * 10
    assert not limits.windows
