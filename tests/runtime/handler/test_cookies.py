import pytest
from django.http import parse_cookie

from async_views.runtime.handler.cookies import parse_cookies
from tests.support.growth import assert_grows_no_faster_than_its_input


@pytest.mark.parametrize(
    "header",
    [
        "",
        "a=b",
        "a=b; c=d",
        " a = b ;; =c; d",
        "a=b=c; a=e",
        'a="b c"; d="e',
        r'a="\"b\" \\ \054"; c="\377\400\8"',
        r'a="\\\\054"; b="\"; c="\";',
        'a="";b="',
        "a=\xff; \xff=b",
    ],
)
def test_a_header_is_read_as_django_reads_it(header: str) -> None:
    assert parse_cookies(header) == parse_cookie(header)


@pytest.mark.parametrize(
    "unit", ["\\", '\\"', "\\101", ";", "a=b;", '"', "=", 'a="\\";', "\\0"]
)
def test_parsing_takes_linear_time(unit: str) -> None:
    assert_grows_no_faster_than_its_input(
        lambda size: f'a="{unit * (size // len(unit))}"', parse_cookies, 32_000
    )
