"""Idempotency keys: a repeated request is written once and gets the same response."""

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.asgi.problem_details import shortened
from catalog.models import Brand, RememberedAnswer
from catalog.writing import idempotency
from catalog.writing.idempotency import WriteResponse, fingerprint_of, key_of, once
from tests.support.catalog.service import Catalog
from tests.support.catalog.threads import in_threads

SAME = b"the same"
OTHER = b"another"

pytestmark = pytest.mark.django_db(transaction=True)


def make_brand() -> WriteResponse:
    brand = Brand.objects.create(name="Acme")
    return WriteResponse(
        201, {"Location": f"/brands/{brand.pk}"}, b"brand \x00 %d" % brand.pk
    )


def test_fifty_parallel_requests_create_one_row_and_get_one_response() -> None:
    together = threading.Barrier(50)

    def send(_: int) -> WriteResponse:
        connection.ensure_connection()
        together.wait(20)
        return once("alice", "key", SAME, make_brand)

    answers = in_threads(50, send)

    brand = Brand.objects.get()
    assert set(map(repr, answers)) == {
        repr(
            WriteResponse(
                201, {"Location": f"/brands/{brand.pk}"}, b"brand \x00 %d" % brand.pk
            )
        )
    }


def test_each_subject_has_its_own_keys() -> None:
    for subject, key in (("alice", "1"), ("alice", "2"), ("bob", "1")):
        once(subject, key, SAME, make_brand)

    assert Brand.objects.count() == 3


def test_without_a_key_everything_is_written() -> None:
    first, second = (once("alice", None, SAME, make_brand) for _ in range(2))

    assert first != second
    assert not RememberedAnswer.objects.exists()


def test_a_key_of_a_different_request_is_refused() -> None:
    once("alice", "key", SAME, make_brand)

    with pytest.raises(Problem) as refusal:
        once("alice", "key", OTHER, make_brand)

    assert refusal.value.details.status == 422
    [error] = refusal.value.details.errors
    assert (error.field, error.value) == ("Idempotency-Key", "key")
    assert "Send a new key with a new request" in error.message
    assert Brand.objects.count() == 1


def responding_404() -> WriteResponse:
    make_brand()
    return WriteResponse(404)


def responding_503() -> WriteResponse:
    make_brand()
    return WriteResponse(503)


def raising_a_problem() -> WriteResponse:
    make_brand()
    raise Problem(409, "No.")


def crashing() -> WriteResponse:
    make_brand()
    raise ZeroDivisionError


@pytest.mark.parametrize(
    "failing", [responding_404, responding_503, raising_a_problem, crashing]
)
@pytest.mark.parametrize("key", ["key", None])
def test_a_failed_write_changes_nothing_and_can_be_sent_again(
    failing: Callable[[], WriteResponse], key: str | None
) -> None:
    try:
        assert once("alice", key, SAME, failing).status in {404, 503}
    except (Problem, ZeroDivisionError):
        assert failing in {raising_a_problem, crashing}
    assert not Brand.objects.exists()

    again = once("alice", key, SAME, make_brand)

    assert again.status == 201
    assert Brand.objects.count() == 1


def test_a_request_that_waited_for_a_failed_one_writes_instead() -> None:
    begun = threading.Event()
    calls: list[int] = []

    def write() -> WriteResponse:
        calls.append(1)
        if len(calls) > 1:
            return make_brand()
        begun.set()
        wait_until_another_waits()
        raise ZeroDivisionError

    def send(turn: int) -> int:
        if turn:
            assert begun.wait(20)
        try:
            return once("alice", "key", SAME, write).status
        except ZeroDivisionError:
            return 500

    assert in_threads(2, send) == [500, 201]
    assert Brand.objects.count() == 1


def wait_until_another_waits() -> None:
    """Waits until a transaction waits for an advisory lock of this database."""
    ended = timezone.now() + timedelta(seconds=20)
    with connection.cursor() as cursor:
        while timezone.now() < ended:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                " AND database = (SELECT oid FROM pg_database"
                " WHERE datname = current_database())"
            )
            if cursor.fetchone() != (0,):
                return
    raise TimeoutError("Nobody waited.")


def test_waiting_for_the_first_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "LOCK_SECONDS", 0.1)
    refused = threading.Event()
    begun = threading.Event()

    def write() -> WriteResponse:
        begun.set()
        assert refused.wait(20)
        return make_brand()

    def send(turn: int) -> Problem | None:
        if turn == 0:
            once("alice", "key", SAME, write)
            return None
        assert begun.wait(20)
        try:
            with pytest.raises(Problem) as refusal:
                once("alice", "key", SAME, make_brand)
        finally:
            refused.set()
        return refusal.value

    _, problem = in_threads(2, send)

    assert problem
    assert problem.details.status == 409
    assert problem.headers == {"Retry-After": "1"}
    assert "'key'" in problem.details.detail
    assert Brand.objects.count() == 1


def test_subjects_with_the_same_key_do_not_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(idempotency, "LOCK_SECONDS", 0.5)

    def write_for_alice() -> WriteResponse:
        in_threads(1, lambda _: once("bob", "key", SAME, make_brand))
        return make_brand()

    once("alice", "key", SAME, write_for_alice)

    assert Brand.objects.count() == 2


def test_the_limit_on_waiting_does_not_apply_to_the_write_itself() -> None:
    settings = []

    def write() -> WriteResponse:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            settings.append(cursor.fetchone())
        return WriteResponse(201)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '7s'")
        once("alice", "key", SAME, write)
    once("alice", "other", SAME, write)

    assert settings == [("7s",), ("0",)]


def age(days: float) -> None:
    then = timezone.now() - timedelta(days=days)
    RememberedAnswer.objects.update(created=then)


def test_a_response_is_stored_for_a_day() -> None:
    first = once("alice", "key", SAME, make_brand)

    age(days=0.99)
    within = once("alice", "key", SAME, make_brand)
    age(days=1.01)
    after = once("alice", "key", OTHER, make_brand)

    assert within == first
    assert after != first
    assert once("alice", "key", OTHER, make_brand) == after


def test_each_write_deletes_a_few_expired_responses() -> None:
    for number in range(7):
        once("alice", str(number), SAME, make_brand)
    age(days=2)

    left = []
    for number in range(3):
        once("bob", str(number), SAME, make_brand)
        left.append(RememberedAnswer.objects.filter(subject="alice").count())

    assert left == [2, 0, 0]
    assert RememberedAnswer.objects.filter(subject="bob").count() == 3


def test_a_write_does_not_wait_for_responses_that_another_deletes() -> None:
    once("alice", "key", SAME, make_brand)
    age(days=2)

    def write_at_once(_: int) -> WriteResponse:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
        return once("bob", "key", SAME, make_brand)

    with transaction.atomic():
        RememberedAnswer.objects.select_for_update().get()
        in_threads(1, write_at_once)

    assert RememberedAnswer.objects.count() == 2


# --- Keys and fingerprints of requests ---


def post(
    key: str | None,
    path: str = "/products",
    body: str = "{}",
    content_type: str = "application/json",
) -> HttpRequest:
    headers = {} if key is None else {"Idempotency-Key": key}
    return RequestFactory().post(path, body, content_type, headers=headers)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (None, None),
        ("k", "k"),
        ('"k"', "k"),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324",) * 2,
        ("x" * 255,) * 2,
        (f'"{"x" * 255}"', "x" * 255),
        (r'"a\"b\\c"', r'a"b\c'),
        (r"a\b,c", r"a\b,c"),
    ],
)
def test_a_key_is_read_with_quotes_or_without(
    value: str | None, key: str | None
) -> None:
    assert key_of(post(value)) == key


@pytest.mark.parametrize(
    "value", ['"', '"a', 'a"', 'a"b', '"a"b"', '"a","b"', '"a", "b"', r'"a\b"', '"a\\"']
)
def test_a_key_in_quotes_is_one_text(value: str) -> None:
    with pytest.raises(Problem) as refusal:
        key_of(post(value))

    assert refusal.value.details.status == 400
    [error] = refusal.value.details.errors
    assert "in a pair of double quotes" in error.message


@pytest.mark.parametrize(("first", "second"), [("a", "b"), ("a", "a"), ('"a"', '"b"')])
def test_two_keys_are_refused(catalog: Catalog, first: str, second: str) -> None:
    address = urlsplit(catalog.url)
    body = b'{"brand_name": "x"}'
    with closing(HTTPConnection(address.netloc, timeout=60)) as connection:
        connection.putrequest("POST", "/brands")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Idempotency-Key", first)
        connection.putheader("Idempotency-Key", second)
        connection.endheaders(body)
        answer = connection.getresponse()
        said = answer.read().decode()

    assert answer.status == 400
    assert "Idempotency-Key: should be sent once" in said
    assert catalog.get("/brands").json == []


@pytest.mark.parametrize("value", ["", '""', "a b", "x" * 256, "schlüssel", "a\tb"])
def test_an_invalid_key_is_refused_by_name(value: str) -> None:
    with pytest.raises(Problem) as refusal:
        key_of(post(value))

    assert refusal.value.details.status == 400
    [error] = refusal.value.details.errors
    assert error.field == "Idempotency-Key"
    assert error.value == shortened(value)
    assert "1 to 255 visible ASCII characters" in error.message


def test_requests_are_the_same_if_every_part_of_them_is() -> None:
    same = {fingerprint_of(post(key)) for key in ("1", "2", None)}
    others = {
        fingerprint_of(post("1", path="/brands")),
        fingerprint_of(post("1", path="/products?x")),
        fingerprint_of(post("1", body="{} ")),
        fingerprint_of(post("1", content_type="text/plain")),
        fingerprint_of(post("1", content_type="text/plai", body="n{}")),
    }

    assert len(same) == 1
    assert len(others - same) == 5
