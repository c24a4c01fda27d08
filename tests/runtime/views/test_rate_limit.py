"""Rate limits of one worker."""

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.views.rate_limit import (
    Policy,
    RateLimits,
    Standing,
    address_subject,
    subject_of_address,
)

SOMEBODY = "address 192.0.2.7"
ELSE = "address 192.0.2.8"


class Clock:
    def __init__(self, now: float = 6_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def policy() -> Policy:
    return Policy("tests", 3, 3600)


def is_refused(limits: RateLimits, policy: Policy, subject: str = SOMEBODY) -> bool:
    try:
        limits.take(subject, policy)
    except Problem:
        return True
    return False


def test_each_subject_has_the_whole_limit_and_no_more(policy: Policy) -> None:
    limits = RateLimits()

    standings = [limits.take(SOMEBODY, policy).remaining for _ in range(3)]

    assert standings == [2, 1, 0]
    assert is_refused(limits, policy)
    assert not is_refused(limits, policy, ELSE)


def test_each_policy_is_counted_separately() -> None:
    limits = RateLimits()
    reads, writes = Policy("reads", 1, 60), Policy("writes", 1, 60)
    limits.take(SOMEBODY, reads)

    assert not is_refused(limits, writes)
    assert is_refused(limits, reads)


def test_a_refusal_names_the_subject_the_limit_and_when_to_try_again() -> None:
    clock = Clock(6_000_010.5)
    limits = RateLimits(now=clock)
    policy = Policy("writes", 1, 60)
    limits.take(SOMEBODY, policy)

    with pytest.raises(Problem) as refusal:
        limits.take(SOMEBODY, policy)

    assert refusal.value.details.status == 429
    assert refusal.value.details.detail == (
        "The address 192.0.2.7 has used up its 1 writes in 60 seconds. "
        "Try again in 50 seconds."
    )
    assert refusal.value.headers == {
        "Retry-After": "50",
        "RateLimit-Policy": '"writes";q=1;w=60',
        "RateLimit": '"writes";r=0;t=50',
    }


def test_the_header_fields_say_what_is_left() -> None:
    standing = Standing(Policy("reads", 6000, 60), 5999, 34)

    assert dict(standing.fields().values()) == {
        "RateLimit-Policy": '"reads";q=6000;w=60',
        "RateLimit": '"reads";r=5999;t=34',
    }


def test_a_new_window_begins_at_the_announced_reset() -> None:
    clock = Clock()
    limits = RateLimits(now=clock)
    policy = Policy("writes", 1, 60)
    reset_seconds = limits.take(SOMEBODY, policy).reset_seconds

    clock.now += reset_seconds - 0.001
    early = is_refused(limits, policy)
    clock.now += 0.001
    late = is_refused(limits, policy)

    assert (early, late) == (True, False)


def test_a_refused_request_does_not_prolong_the_wait() -> None:
    clock = Clock()
    limits = RateLimits(now=clock)
    policy = Policy("writes", 1, 60)
    for _ in range(10):
        is_refused(limits, policy)

    clock.now += 60

    assert limits.take(SOMEBODY, policy).remaining == 0


def test_the_memory_for_subjects_is_bounded_and_busy_ones_are_kept(
    policy: Policy,
) -> None:
    limits = RateLimits(max_subjects=100)
    for _ in range(3):
        limits.take(SOMEBODY, policy)

    for number in range(1000):
        limits.take(f"address {number}", policy)
        assert len(limits.windows[policy.name].counts) <= 100

    assert is_refused(limits, policy)


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("192.0.2.7", "address 192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "address 2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "address 2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "address 2001:db8:1:3::/64"),
        ("fe80::1%eth0", "address fe80::/64"),
        ("::ffff:192.0.2.7", "address 192.0.2.7"),
        ("", "address unknown"),
        ("my house" * 10_000, "address unknown"),
    ],
)
def test_an_ipv4_address_or_an_ipv6_network_is_one_subject(
    address: str, subject: str
) -> None:
    assert subject_of_address(address) == subject


def test_the_subject_is_the_address_that_the_server_reports() -> None:
    assert (
        address_subject(RequestFactory(REMOTE_ADDR="::1").get("/")) == "address ::/64"
    )
    without = HttpRequest()
    assert address_subject(without) == "address unknown"
