"""Finding products and their SKUs on the catalog's pages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.catalog.databases import new_database
from tests.support.site import Site


@pytest.fixture(scope="module")
def site(migrated: str) -> Iterator[Site]:
    """A site with only the book's example data."""
    with new_database(migrated) as database:
        with Site(DATABASE_URL=database, PREPARE_ON_START="1", DEBUG="1") as site:
            yield site


def test_a_product_is_found_by_its_name_and_its_skus_are_shown(visit: Visit) -> None:
    page = visit.to("/")
    page.get_by_role("navigation", name="Site").get_by_text("Catalog").click()

    page.get_by_label("Part of the name").fill("the")
    page.get_by_role("button", name="Search products").click()
    expect(page.get_by_role("table")).to_contain_text("“the” in the name")
    page.get_by_role("link", name="Next page").click()
    product = page.get_by_role("rowheader").first
    name = product.inner_text()
    product.get_by_role("link").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.get_by_role("columnheader")).to_have_text(["ID", "Size", "Colour"])


def test_the_products_of_a_brand_are_found(visit: Visit) -> None:
    page = visit.to("/catalog/brands/")
    brand = page.get_by_role("rowheader").first
    name = brand.inner_text()

    brand.get_by_role("link").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(f"Products of {name}")
    expect(page.get_by_role("table")).to_be_visible()


def test_errors_are_shown_beside_their_fields(visit: Visit) -> None:
    page = visit.to("/catalog/?q=ab&order=price")

    expect(page.get_by_role("alert")).to_contain_text("Nothing was searched")
    expect(page.get_by_text("Enter at least 3 characters.")).to_be_visible()
