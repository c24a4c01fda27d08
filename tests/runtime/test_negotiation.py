import pytest
from django.test import RequestFactory

from async_views.runtime.negotiation import chosen_format, wants_page

FORMATS = {"html": "a page", "json": "JSON"}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("query", "accept", "chosen"),
    [
        ("", "application/json", "json"),
        ("", BROWSER, "html"),
        ("", "text/html;q=0.5, application/json", "json"),
        ("", "*/*", "html"),
        ("", "text/csv", "html"),  # not on offer
        ("", "", "html"),
        ("?format=json", BROWSER, "json"),
        ("?format=html", "application/json", "html"),
        ("?format=xml", "application/json", "xml"),  # for a form to complain of
    ],
)
def test_the_format_is_the_one_asked_for_or_accepted(
    query: str, accept: str, chosen: str
) -> None:
    request = RequestFactory().get(f"/{query}", headers={"accept": accept})

    assert chosen_format(request, FORMATS) == chosen


@pytest.mark.parametrize(
    ("query", "accept", "page"),
    [
        ("", BROWSER, True),
        ("", "*/*", False),
        ("", "application/json", False),
        ("?format=json", BROWSER, False),
        ("?format=csv", BROWSER, False),
        ("?format=html", "*/*", True),
        ("?format=xml", BROWSER, True),
    ],
)
def test_an_error_is_a_page_where_one_was_asked_for_or_a_browser_asks(
    query: str, accept: str, page: bool
) -> None:
    request = RequestFactory().get(f"/{query}", headers={"accept": accept})

    assert wants_page(request) is page
