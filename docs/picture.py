"""Takes the README's screenshot of the site. Run by `make picture`."""

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import NAMES, OPTIONS
from tests.support.site import Site

PATH = "/requests/?url={target}/time&request_num=50&concurrency=10"
PICTURE = Path(__file__).with_name("probe.png")


def main() -> None:
    executable = next(filter(None, map(shutil.which, NAMES)))
    with (
        Site(DEBUG="1", PORT="8000", WORKERS="2") as site,
        # A second site, because a probe of its own site is not trustworthy.
        Site(DEBUG="1", PORT="8001") as target,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=executable, args=list(OPTIONS)
        )
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        # The first probe of a new worker includes its imports.
        for _ in range(8):
            page.goto(site.url + PATH.format(target=target.url))
        bottom = page.locator("#failures").bounding_box()
        assert bottom
        page.screenshot(
            path=PICTURE,
            clip={"x": 0, "y": 0, "width": 1000, "height": bottom["y"] - 16},
            full_page=True,
        )
        browser.close()


if __name__ == "__main__":
    main()
