"""Is the database ready to serve after `prepare`, and no more than that?"""

from io import StringIO

import pytest
from django.core.management import call_command
from pytest_django import Settings

from catalog.models import Brand, Product, Sku

EXAMPLE = "  catalog    100 brands, 1,000 products, 100,000 SKUs (example data)\n"

pytestmark = pytest.mark.django_db(transaction=True)


def prepare() -> str:
    stdout = StringIO()
    call_command("prepare", stdout=stdout)
    return stdout.getvalue()


def test_an_empty_catalog_gets_example_data_in_development(settings: Settings) -> None:
    settings.DEBUG = True

    said = prepare()

    assert EXAMPLE in said
    assert (Product.objects.count(), Sku.objects.count()) == (1000, 100_000)


def test_a_catalog_with_a_row_gets_none(settings: Settings) -> None:
    settings.DEBUG = True
    Brand.objects.create(name="Mine")

    said = prepare()

    assert "catalog" not in said
    assert Brand.objects.get().name == "Mine"


def test_production_gets_none(settings: Settings) -> None:
    settings.DEBUG = False

    said = prepare()

    assert "catalog" not in said
    assert not Brand.objects.exists()
