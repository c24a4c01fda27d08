"""Is the API's document a page on which each route can be read and tried?"""

import json
import urllib.request

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.site import Site


def test_every_route_is_shown(visit: Visit) -> None:
    with urllib.request.urlopen(f"{visit.url}/openapi.json", timeout=20) as answer:
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


def test_a_route_is_tried_and_its_answer_shown(visit: Visit) -> None:
    page = visit.to("/docs")
    route = page.locator("#operations-brands-list_brands")

    route.locator(".opblock-summary-control").click()
    route.get_by_role("button", name="Try it out").click()
    route.get_by_role("button", name="Execute").click()

    answer = route.locator(".live-responses-table .response").first
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    expect(answer.locator(".response-col_description")).to_contain_text("[")
    expect(answer).to_contain_text("etag")


def test_the_page_is_as_dark_as_the_person_likes(visit: Visit) -> None:
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

        # The browser's driver switches scripts off only after the page has been parsed.
        told = page.locator("noscript").inner_text()
        page.get_by_role("link", name="/openapi.json").first.click()

        assert "This page needs JavaScript." in told
        assert page.url == f"{site.url}/openapi.json"
