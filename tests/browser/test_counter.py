"""The counter of users online in a real browser."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from async_views.runtime.postgres import embedded
from tests.browser.conftest import Visit
from tests.support.site import Site


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A PostgreSQL for these tests alone, which outlives their sites."""
    directory = tmp_path_factory.mktemp("postgres")
    with embedded.hold(directory):
        yield directory


@pytest.fixture(scope="module")
def start(database: Path) -> Callable[..., Site]:
    """Starts a site; with a given port, its address stays the same."""

    def start(port: int = 0) -> Site:
        return Site(
            "tests.support.quick_counter:application",
            PORT=str(port),
            WORKERS="2",
            PREPARE_ON_START="1",
            EMBEDDED_POSTGRES_DIR=str(database),
        )

    return start


@pytest.fixture(scope="module")
def running(start: Callable[..., Site]) -> Iterator[Site]:
    """A site for tests that leave it unchanged."""
    with start() as running:
        yield running


@pytest.fixture
def tabs(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context() as context:
        yield context


def opened(tabs: BrowserContext, site: Site, path: str = "/counter/") -> Page:
    page = tabs.new_page()
    page.goto(site.url + path)
    return page


def expect_number(page: Page, number: int) -> None:
    expect(page.locator("[data-online-count]")).to_have_text(str(number))
    expect(page.get_by_role("status")).to_have_text("Live")


def test_two_tabs_count_to_two_and_closing_one_counts_to_one(
    tabs: BrowserContext, running: Site
) -> None:
    first = opened(tabs, running)
    expect_number(first, 1)
    second = opened(tabs, running)
    for page in (first, second):
        expect_number(page, 2)

    second.close()

    expect_number(first, 1)


def test_the_start_page_is_live_and_counts_too(
    tabs: BrowserContext, running: Site
) -> None:
    home, counter = opened(tabs, running, "/"), opened(tabs, running)
    for page in (home, counter):
        expect_number(page, 2)

    home.goto(running.url + "/time")

    expect_number(counter, 1)


def test_a_page_that_is_revisited_counts_once(
    tabs: BrowserContext, running: Site
) -> None:
    first, second = opened(tabs, running), opened(tabs, running)
    second.goto(running.url + "/time")
    expect_number(first, 1)

    second.go_back()

    for page in (first, second):
        expect_number(page, 2)


def test_the_page_reports_a_stopped_server_and_reconnects_after_its_restart(
    tabs: BrowserContext, start: Callable[..., Site]
) -> None:
    with start() as site:
        pages = [opened(tabs, site), opened(tabs, site)]
        for page in pages:
            expect_number(page, 2)
        port = site.port
    for page in pages:
        expect(page.get_by_role("status")).to_contain_text("Not live: reconnecting")

    with start(port):
        for page in pages:
            expect(page.get_by_role("status")).to_have_text("Live", timeout=40_000)
            expect_number(page, 2)


def test_a_server_that_falls_silent_is_reported_as_lost(
    tabs: BrowserContext, start: Callable[..., Site]
) -> None:
    with start() as site:
        page = opened(tabs, site)
        expect_number(page, 1)

        for worker in site.workers():
            worker.suspend()
        try:
            expect(page.get_by_role("status")).to_contain_text(
                "Not live", timeout=20_000
            )
        finally:
            for worker in site.workers():
                worker.resume()

        expect(page.get_by_role("status")).to_have_text("Live", timeout=40_000)
        expect_number(page, 1)


def test_the_last_minutes_are_drawn_and_described(
    tabs: BrowserContext, running: Site
) -> None:
    page = opened(tabs, running)
    expect_number(page, 1)
    other = opened(tabs, running)
    expect_number(page, 2)
    other.close()
    expect_number(page, 1)

    figure = page.get_by_role("img", name="at least 1, at most 2 online")

    expect(figure).to_be_visible()
    line = figure.locator("path").get_attribute("d") or ""
    heights = re.findall(r"[ML][\d.]+ ([\d.]+)", line)
    assert [float(each) for each in heights] == [31, 31, 4, 4, 31, 31]


def test_without_scripts_the_number_is_shown_as_not_live(
    browser: Browser, tabs: BrowserContext, running: Site
) -> None:
    expect_number(opened(tabs, running), 1)
    with browser.new_context(java_script_enabled=False) as context:
        page = opened(context, running)

        expect(page.locator("[data-online-count]")).to_have_text("1")
        expect(page.get_by_role("status")).to_have_text(
            "Not live: showing the number from when this page was loaded."
        )
        assert page.get_by_role("img").count() == 0


@pytest.mark.parametrize("path", ["/counter/", "/"])
def test_the_page_is_live_fits_and_logs_no_errors(visit: Visit, path: str) -> None:
    page = visit.to(path)

    expect(page.get_by_role("status")).to_have_text("Live")
