import pytest
from django.test import RequestFactory

from async_views.runtime.views.negotiation import chosen_format, wants_page

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
        ("", "application/json, text/html;q=0.5", "json"),
        ("", "text/html;q=0.5, application/json;q=0.4", "html"),
        ("", "text/html ; q=0.5 , APPLICATION/JSON ; Q=0.7", "json"),
        ("", "text/html;q=0, */*", "json"),
        ("", "*/*, text/html;q=0", "json"),
        ("", "text/html;q=0.000", "json"),
        ("", "application/json;q=0, text/html;q=0.001", "html"),
        ("", "text/*, application/json;q=0.9", "html"),
        ("", "text/*;q=0.1, application/*;q=0.2, */*;q=0.9", "json"),
        ("", "application/json, text/html", "json"),  # the one named first
        ("", "text/html, application/json", "html"),
        ("", "application/json, text/plain, */*", "json"),  # axios
        ("", "application/json; charset=utf-8", "json"),
        ("", 'application/json;profile="a,b;q=0", text/html;q=0.1', "html"),
        ("", "application/json;q=nan, text/html;q=0.9", "json"),
        ("", "application/json;q=0.5, text/html;q=1.5", "html"),
        ("", "application/json;q=0.5, text/html;q=-1", "html"),
        ("", "application/json;q=, text/html;q=0.1", "json"),
        ("", ",,;q=1, application/json,", "json"),
        ("", "application/jso, */", "html"),
        ("?format=", "application/json", "json"),
        ("?format=json", BROWSER, "json"),
        ("?format=html", "application/json", "html"),
        ("?format=xml", "application/json", "xml"),  # for a form to complain of
    ],
)
def test_the_format_is_the_requested_or_the_accepted_one(
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
        ("", "application/json, text/html;q=0.5", False),
        ("", "application/problem+json, text/html;q=0.9", False),
        ("", "text/html, application/json;q=0.9", True),
        ("", "text/html;q=0.5, */*;q=0.8", False),
        ("", "text/html;q=0, */*", False),
        ("", "TEXT/HTML", True),
        ("", "text/*", False),
        ("?format=json", BROWSER, False),
        ("?format=csv", BROWSER, False),
        ("?format=html", "*/*", True),
        ("?format=xml", BROWSER, True),
    ],
)
def test_an_error_is_a_page_for_browsers_and_on_request(
    query: str, accept: str, page: bool
) -> None:
    request = RequestFactory().get(f"/{query}", headers={"accept": accept})

    assert wants_page(request) is page
