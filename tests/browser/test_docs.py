"""The API's documentation page, where each route is described and can be tried."""

import json
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import Visit
from tests.support.catalog.databases import new_database
from tests.support.catalog.service import Catalog
from tests.support.site import Site


def test_every_route_is_shown(visit: Visit) -> None:
    with urllib.request.urlopen(f"{visit.url}/openapi.json", timeout=60) as answer:
        paths = json.load(answer)["paths"]
    routes = {(method, path) for path, item in paths.items() for method in item}

    page = visit.to("/docs")

    expect(page.locator(".opblock")).to_have_count(len(routes))
    shown = page.locator(".opblock-summary").evaluate_all(
        """blocks => blocks.map(block => [
          block.querySelector(".opblock-summary-method").textContent.toLowerCase(),
          block.querySelector(".opblock-summary-path").dataset.path,
        ])"""
    )
    assert {(method, path) for method, path in shown} == routes


def test_a_route_is_tried_and_its_response_shown(visit: Visit) -> None:
    page = visit.to("/docs")
    route = page.locator("#operations-brands-list_brands")

    route.locator(".opblock-summary-control").click()
    route.get_by_role("button", name="Try it out").click()
    route.get_by_role("button", name="Execute").click()

    answer = route.locator(".live-responses-table .response").first
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    expect(answer.locator(".response-col_description")).to_contain_text("[")
    expect(answer).to_contain_text("etag")


# With the values filled in by default: a brand with products cannot be deleted.
EXPECTED = {"delete_brand": 409}


@pytest.fixture
def shop(migrated: str) -> Iterator[Site]:
    """A site where anyone may write, with one brand, product and SKU."""
    with new_database(migrated) as database:
        with Site(DATABASE_URL=database, CATALOG_WRITE_ACCESS="anyone") as site:
            catalog = Catalog(site.url, database)
            catalog.insert("brand", [("Acme",)])
            catalog.insert("product", [("A saw", 1)])
            catalog.insert("product_size", [("Small",)])
            catalog.insert("product_color", [("Blue",)])
            catalog.insert("sku", [(1, 1, 1)])
            yield site


def test_every_route_works_with_its_default_values(
    browser: Browser, shop: Site
) -> None:
    answers = {}
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{shop.url}/docs")
        routes = page.locator(".opblock")
        expect(routes.first).to_be_visible()
        for route in routes.all():
            name = (route.get_attribute("id") or "").rpartition("-")[2]
            route.locator(".opblock-summary-control").click()
            route.get_by_role("button", name="Try it out").click()
            assert filled_in(route) <= {"brand_id", "product_id", "If-Match"}, name
            with page.expect_response(
                lambda answer: answer.request.resource_type in {"fetch", "xhr"}
            ) as answered:
                route.get_by_role("button", name="Execute").click()
            answers[name] = answered.value.status
            route.locator(".opblock-summary-control").click()

    assert len(answers) == 15
    surprises = {
        name: status
        for name, status in answers.items()
        if status != EXPECTED.get(name) and status >= 300
    }
    assert surprises == {}


def filled_in(route: Locator) -> set[str]:
    """The parameters that the page fills in by default."""
    return {
        str(row.get_attribute("data-param-name"))
        for row in route.locator("tr[data-param-name]").all()
        if row.locator("input, select").first.input_value().strip("-")
    }


def test_the_navigation_leads_to_the_routes(visit: Visit) -> None:
    page = visit.to("/")

    page.get_by_role("navigation", name="Site").get_by_role("link", name="API").click()

    expect(page.locator(".opblock")).not_to_have_count(0)


def test_the_page_follows_the_preferred_colour_scheme(visit: Visit) -> None:
    page = visit.to("/docs")
    title = page.locator(".opblock-tag").first
    expect(title).to_be_visible()

    likes_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    brightness = "element => getComputedStyle(element).color.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b)"

    assert (title.evaluate(brightness) > 3 * 128) == likes_dark


def test_without_scripts_the_page_says_so_and_leads_to_the_document(
    browser: Browser, site: Site
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{site.url}/docs")

        # Playwright disables scripts only after the page has been parsed.
        notice = page.locator("noscript").inner_text()
        page.get_by_role("link", name="/openapi.json").first.click()

        assert "This page needs JavaScript." in notice
        assert page.url == f"{site.url}/openapi.json"
