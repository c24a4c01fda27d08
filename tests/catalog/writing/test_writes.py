"""Writes that wait for the lock of another."""

from contextlib import ExitStack

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from catalog.models import Brand, Product
from tests.support.catalog.threads import kept_locked, once_it_waits

pytestmark = pytest.mark.django_db(transaction=True)

WRITES = [
    ("PUT", '{"product_name": "A saw", "brand_id": 1}'),
    ("PATCH", '{"product_name": "A saw"}'),
    ("DELETE", ""),
]


@pytest.fixture(autouse=True)
def impatient(settings: Settings) -> None:
    settings.CATALOG_WRITE_ACCESS = "anyone"
    settings.DATABASE_SECONDS = 0.2


@pytest.fixture
def product() -> Product:
    brand = Brand.objects.create(pk=1, name="Acme")
    return Product.objects.create(name="A hammer", brand=brand)


def send(method: str, path: str, body: str, **headers: str) -> HttpResponse:
    sent = {"If-Match": "*"} | headers
    answer = Client().generic(method, path, body, "application/json", headers=sent)
    assert isinstance(answer, HttpResponse)
    return answer


@pytest.mark.parametrize(("method", "body"), WRITES)
def test_a_write_does_not_wait_for_ever_for_a_locked_row(
    product: Product, method: str, body: str
) -> None:
    path = f"/products/{product.pk}"
    with kept_locked("product"):
        refused = send(method, path, body)

    product.refresh_from_db()
    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    assert b"Nothing was written" in refused.content
    assert product.name == "A hammer"
    assert send(method, path, body).status_code in {200, 204}


def test_the_response_to_a_refused_write_is_not_stored(product: Product) -> None:
    body = '{"product_name": "A saw", "brand_id": 1}'
    key = {"Idempotency-Key": "one"}
    with kept_locked("brand"):
        refused = send("POST", "/products", body, **key)

    assert refused.status_code == 503
    assert Product.objects.count() == 1
    assert send("POST", "/products", body, **key).status_code == 201
    assert Product.objects.count() == 2


def test_a_write_waits_for_a_lock_that_is_released_in_time(
    product: Product, settings: Settings
) -> None:
    settings.DATABASE_SECONDS = 20

    def rename() -> HttpResponse:
        return send("PATCH", f"/products/{product.pk}", '{"product_name": "A saw"}')

    with ExitStack() as held:
        held.enter_context(kept_locked("product"))
        answer = once_it_waits(rename, held.close)

    assert answer.status_code == 200
