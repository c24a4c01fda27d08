"""The bridges in a real browser."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.support.site import Site

PATH = "/requests/sync_to_async"


@pytest.mark.parametrize(
    "query",
    [
        "experiment=blocking&sleep_time=0.05&compare=true",
        "experiment=semaphore&sleep_time=0.05&num_calls=20&at_once=3",
        "experiment=chess_around_the_room&sleep_time=0.05&compare=true",
        "experiment=requests&sleep_time=0.05&num_calls=3",
        "experiment=async_to_sync&sleep_time=0.05&compare=true",
        "experiment=alchemy",
        "sleep_time=99",
    ],
)
def test_every_page_fits_and_logs_no_errors(visit: Visit, query: str) -> None:
    page = visit.to(f"{PATH}?{query}")

    expect(page.get_by_role("heading", name="Examples")).to_be_visible()


def test_an_experiment_is_chosen_predicted_and_run(visit: Visit) -> None:
    page = visit.to(PATH)
    card = page.get_by_role("region", name="Coroutines through a semaphore")
    expect(card).to_contain_text("Predicted: 1 s")

    card.get_by_role("button", name="Run", exact=True).click()

    expect(page).to_have_title("Coroutines through a semaphore")
    result = page.get_by_role("region", name="Coroutines through a semaphore").first
    expect(result).to_contain_text("The semaphore lets 2 calls in")
    expect(result.locator("dd").first).to_have_text("1 s")
    expect(result.locator("dd").nth(1)).to_have_text(re.compile(r"^1(\.\d+)? s$"))
    picture = result.get_by_role("img", name="What ran when")
    expect(picture).to_be_visible()
    result.get_by_text("Show as a table").click()
    # Each of the four waits for its place, and then sleeps.
    expect(result.get_by_role("row", name=re.compile("^call"))).to_have_count(8)


def test_a_running_experiment_shows_its_progress(visit: Visit) -> None:
    page = visit.to(f"{PATH}?experiment=one_by_one")
    page.get_by_label("Sleep, seconds").fill("0.4")
    # While the next page loads, Chromium does not respond to queries about this one.
    page.evaluate(TELL)

    with page.expect_console_message(lambda said: "Working" in said.text):
        page.get_by_role("button", name="Run the experiment").click(no_wait_after=True)

    expect(page.get_by_text("Predicted", exact=True)).to_be_visible()


TELL = """() => {
  const status = document.getElementById("bridge-progress");
  new MutationObserver(() => console.log(status.textContent))
    .observe(status, { childList: true });
}"""


def test_two_are_compared_side_by_side_by_a_link(visit: Visit) -> None:
    page = visit.to(f"{PATH}?sleep_time=0.1&num_calls=3&thread_sensitive=true")

    page.get_by_role("link", name="Compare with").click()

    pictures = page.get_by_role("img", name="What ran when")
    expect(pictures).to_have_count(2)
    expect(
        page.get_by_role(
            "heading", name="Blocking calls in sync_to_async, not thread-sensitive"
        ).first
    ).to_be_visible()
    assert "compare=true" in page.url


@pytest.mark.parametrize("sensitive", ["true", "false"])
def test_the_page_sends_several_requests_and_draws_them_together(
    visit: Visit, sensitive: str
) -> None:
    page = visit.to(
        f"{PATH}?experiment=requests&sleep_time=0.5&num_calls=3&thread_sensitive={sensitive}"
    )

    picture = page.get_by_role("img", name="Timeline of the requests")
    expect(picture.locator("line.blocking")).to_have_count(3)
    summary = page.locator("#requests-summary").inner_text()
    seconds = re.search(r"answered within ([\d.]+) s, predicted 0.5 s", summary)
    assert seconds and 0.5 <= float(seconds[1]) < 1
    expect(page.locator("[data-threads]")).to_have_text("3")
    page.locator("[data-figure]").get_by_text("Show as a table").click()
    expect(page.locator("[data-figure] tbody tr")).to_have_count(3)


def test_an_invalid_value_is_marked_at_its_field(visit: Visit) -> None:
    page = visit.to(f"{PATH}?experiment=semaphore&at_once=99")

    expect(page.get_by_role("alert")).to_contain_text("Nothing was run")
    expect(page.get_by_label("At once", exact=True)).to_have_attribute(
        "aria-invalid", "true"
    )
    expect(page.get_by_text("It was “99”.")).to_be_visible()


def test_without_scripts_an_experiment_runs_and_requests_need_curl(
    browser: Browser, site: Site
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{site.url}{PATH}?experiment=gather")
        page.get_by_role("button", name="Run the experiment").click()

        expect(page.get_by_role("img", name="What ran when")).to_be_visible()

        page.goto(f"{site.url}{PATH}?experiment=requests&sleep_time=0.1&num_calls=3")

        expect(page.get_by_text("curl -sZ")).to_be_visible()
        expect(page.get_by_role("img")).to_have_count(0)
