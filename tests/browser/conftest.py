"""A real browser, and a real site for it."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.support.site import Site

# Other tests run beside these.
expect.set_options(timeout=30_000)

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
OPTIONS = (
    # Chromium's sandbox does not work for root in a container.
    "--no-sandbox",
    "--disable-gpu",
    # The browser itself must not use the network.
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)


@pytest.fixture(scope="session")
def executable() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        cure = "no Chromium or Chrome was found: install one, such as `apt-get install chromium`"
        if os.environ.get("CI"):
            pytest.fail(cure)
        pytest.skip(cure)
    return found


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    with Site(PREPARE_ON_START="1", WORKERS="2") as site:
        yield site


# Not for the session: Playwright keeps an event loop running in this thread, so that other
# tests could not run their own.
@pytest.fixture(scope="package")
def browser(executable: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=list(OPTIONS)
        )
        yield browser
        browser.close()


class Visit:
    """A browser window, with its errors and its requests to other hosts."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self.page: Page = context.new_page()
        self.url = site.url
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "request", lambda request: self.hosts.add(request.url.split("/")[2])
        )

    def _note(self, message: ConsoleMessage) -> None:
        # The browser reports the page itself as an error if its status is above 399.
        is_the_page_itself = message.location["url"] == self.page.url
        if message.type in {"error", "warning"} and not (
            is_the_page_itself and message.text.startswith("Failed to load resource")
        ):
            self.complaints.append(f"{message.text} ({message.location['url']})")

    def to(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page


@pytest.fixture(params=["wide-light", "narrow-dark"])
def visit(
    request: pytest.FixtureRequest, browser: Browser, site: Site
) -> Iterator[Visit]:
    """A window of 1600 px in light and of 360 px in dark, without errors or other hosts."""
    narrow = request.param == "narrow-dark"
    with browser.new_context(
        viewport={"width": 360 if narrow else 1600, "height": 800},
        color_scheme="dark" if narrow else "light",
    ) as context:
        visit = Visit(context, site)
        yield visit
        too_wide = visit.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
    assert visit.complaints == []
    assert visit.hosts <= {site.url.removeprefix("http://")}
    assert not too_wide
