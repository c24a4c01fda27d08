"""The site's pages in a real browser."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.support.site import Site
from tests.support.target import TargetServer

PAGES = [
    "/",
    "/requests/",
    "/requests/sync_to_async",
    "/requests/sync_to_async?sleep_time=0&num_calls=2",
    "/requests/?url=nothing&request_num=0&timeout=0",
    "/requests/?url=http://h/a?b=c&d=e&request_nun=1",
    "/requests/sync_to_async?experiment=nope",
    "/nowhere",
    "/time",
    "/admin/login/",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_and_logs_no_errors(visit: Visit, path: str) -> None:
    page = visit.to(path)

    assert page.locator("body").inner_text()


def test_a_probe_is_filled_in_and_submitted(visit: Visit, target: TargetServer) -> None:
    page = visit.to("/requests/")
    page.get_by_label("URL").fill(f"{target.url}/mixed")
    page.get_by_label("Requests").fill("20")
    page.get_by_label("Concurrency").fill("5")

    page.get_by_role("button", name="Send the requests").click()

    expect(page).to_have_title("Request Summary")
    expect(
        page.get_by_text("20 sent: 5 answered 2xx, 5 answered 5xx, 10 failed")
    ).to_be_visible()
    successes = page.get_by_role("region", name="Successful Results")
    expect(successes.get_by_role("row")).to_have_count(6)
    failures = page.get_by_role("region", name="Failures")
    expect(failures.get_by_role("row")).to_have_count(16)
    expect(failures.get_by_text("disconnected").first).to_be_visible()
    timeline = page.get_by_role("img", name="Timeline of all requests")
    expect(timeline).to_be_visible()
    assert timeline.bounding_box()
    expect(
        page.get_by_role("img", name="Distribution of response times")
    ).to_be_visible()
    assert len(target.asked) == 20


def test_the_pictures_can_be_read_as_tables(visit: Visit, target: TargetServer) -> None:
    page = visit.to(f"/requests/?url={target.url}/ok&request_num=10")

    histogram = page.locator("figure").nth(1)
    histogram.get_by_text("Show as a table").click()

    counts = histogram.locator("tbody td:nth-child(2)")
    assert sum(map(int, counts.all_inner_texts())) == 10


def test_the_probe_works_with_the_keyboard_alone(
    visit: Visit, target: TargetServer
) -> None:
    page = visit.to("/requests/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "url":
            break

    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(f"{target.url}/ok")
    page.keyboard.press("Tab")
    page.keyboard.type("3")
    page.keyboard.press("Enter")

    expect(page).to_have_title("Request Summary")
    expect(page.get_by_text("3 sent: 3 answered 2xx")).to_be_visible()


def test_an_invalid_value_is_marked_at_its_field(visit: Visit) -> None:
    page = visit.to("/requests/?url=ftp://example.org/&request_num=0")

    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent")
    expect(page.get_by_label("Requests")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("It was “0”.")).to_be_visible()


def test_a_long_probe_shows_its_progress_and_can_be_stopped(
    visit: Visit, target: TargetServer
) -> None:
    page = visit.to("/requests/?request_num=5")
    page.get_by_label("URL").fill(f"{target.url}/wait")
    # While the next page loads, Chromium does not respond to queries about this one.
    # So this page logs what it shows, and where the button is.
    page.evaluate(TELL)
    page.get_by_role("button", name="Send the requests").focus()

    with page.expect_console_message(lambda said: "Working for" in said.text) as logged:
        page.keyboard.press("Enter")
    target.wait_until(lambda server: len(server.asked) == 5)
    _, x, y = logged.value.text.split("|")
    with page.expect_console_message(lambda said: said.text.startswith("Stopped.")):
        page.mouse.click(float(x), float(y))

    target.wait_until(lambda server: server.open_connections == 0)


TELL = """() => {
  const status = document.querySelector("[role=status]");
  const stop = document.querySelector("[data-stop]");
  new MutationObserver(() => {
    const place = stop.getBoundingClientRect();
    const [x, y] = [place.x + place.width / 2, place.y + place.height / 2];
    console.log(`${status.textContent}|${x}|${y}`);
  }).observe(status, { childList: true });
}"""


def test_the_start_page_s_example_works_offline(visit: Visit) -> None:
    page = visit.to("/")

    page.get_by_role("button", name="Send 10 requests").click()

    expect(page).to_have_title("Request Summary")
    expect(page.get_by_text("10 sent: 10 answered 2xx")).to_be_visible()


def test_every_link_of_the_start_page_leads_somewhere(visit: Visit) -> None:
    page = visit.to("/")
    links = page.locator("main a").evaluate_all("links => links.map(link => link.href)")

    statuses = {link: page.request.get(link).status for link in links}

    assert len(links) > 8
    assert set(statuses.values()) == {200}


def test_a_probe_s_page_is_complete_without_scripts(
    browser: Browser, site: Site, target: TargetServer
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{site.url}/requests/")
        page.get_by_label("URL").fill(f"{target.url}/ok")
        page.get_by_role("button", name="Send the requests").click()

        expect(page).to_have_title("Request Summary")
        expect(page.get_by_text("10 sent: 10 answered 2xx")).to_be_visible()


def test_the_admin_honours_the_content_security_policy(visit: Visit) -> None:
    page = visit.to("/admin/")

    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()

    expect(page.locator(".errornote")).to_be_visible()
