"""URLs are parsed into targets, or refused with a reason."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from async_api.outbound.targets import (
    MAX_LOCATION_LENGTH,
    MAX_URL_LENGTH,
    InvalidTarget,
    parse_target,
    redirected,
)

unhurried = settings(deadline=None)  # a busy machine must not fail the test


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://example.com", "http://example.com"),
        ("HTTP://EXAMPLE.com:80/", "http://example.com/"),
        ("https://example.com:8443/a?b=c#d", "https://example.com:8443/a?b=c"),
        ("http://example.com/a/../b", "http://example.com/b"),
        ("http://example.com:/", "http://example.com/"),
        ("http://example.com./", "http://example.com./"),  # an absolute name
        ("http://my_service:8000/", "http://my_service:8000/"),
        ("http://example.com/@someone", "http://example.com/@someone"),
        ("http://192.0.2.1/", "http://192.0.2.1/"),
        ("http://[2001:DB8:0::1]:80/", "http://[2001:db8::1]/"),
        ("http://münchen.example/ü", "http://xn--mnchen-3ya.example/%C3%BC"),
        ("http://ｅxample。com/", "http://example.com/"),  # as browsers read it
    ],
)
def test_a_url_is_normalised(text: str, url: str) -> None:
    assert str(parse_target(text)) == url


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must start with http"),
        ("example.com", "must start with http"),
        ("//example.com/", "must start with http"),
        ("http:/example.com/", "must start with http"),
        ("http:example.com", "must start with http"),
        ("httpſ://example.com/", "must start with http"),  # folds to https
        ("ftp://example.com/", "must start with http"),
        ("file:///etc/passwd", "must start with http"),
        ("javascript:alert(1)", "must start with http"),
        ("gopher://127.0.0.1:6379/_INFO", "must start with http"),
        ("http://", "it has no host"),
        ("http:///path", "it has no host"),
        ("http://:80/", "it has no host"),
        ("http://user:word@example.com/", "user name or password"),
        ("http://@example.com/", "user name or password"),
        ("http://example.com@127.0.0.1/", "user name or password"),
        ("http://example.com:0/", "from 1 to 65535"),
        ("http://example.com:65536/", "from 1 to 65535"),
        ("http://example.com:+80/", "host:port"),
        ("http://example.com:8_0/", "host:port"),
        ("http://example.com:８０/", "host:port"),  # fullwidth digits
        ("http://example.com:80:81/", "host:port"),
        ("http://[::1/", "host:port"),
        ("http://[]@/", "user name or password"),
        ("http://127.0.0.1[::1]/", "host:port"),
        ("http://[::1]example.com/", "host:port"),
        ("http://[127.0.0.1]/", "brackets must hold"),
        ("http://[v1.x]/", "brackets must hold"),  # a future IP version
        ("http://[fe80::1%25eth0]/", "brackets must hold"),
        ("http://[fe80::1%eth0]/", "brackets must hold"),
        ("http://exa mple.com/", "position 10"),
        (" http://example.com/", "position 0"),
        ("http://example.com/\r\nHost: evil", "position 19"),
        ("http://example.com/\x00", "position 19"),
        ("http://example.com/a\u00a0b", "position 20"),  # a no-break space
        ("http://example.com\\@127.0.0.1/", "position 18"),
        ("http://example.com/\udce9", "position 19"),  # a byte that is not UTF-8
        ("http://example.com/" + "a" * MAX_URL_LENGTH, "2048 are allowed"),
    ],
)
def test_an_invalid_url_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidTarget, match=re.escape(reason)):
        parse_target(text)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",  # one number
        "0x7f000001",
        "017700000001",
        "0",
        "0x",
        "127.1",  # the short forms of inet_aton
        "127.0.1",
        "0x7f.1",
        "0x7F.0.0.0x1",
        "0177.0.0.1",  # octal
        "127.0.0.01",
        "127.0.0.1.",  # a final dot
        "2130706433.",
        "256.0.0.1",
        "127.0.0.0.1",
        "example.0x1",  # a number for browsers, whatever stands before it
        "127。0。0。1",  # ideographic full stops
        "127．0．0．1",  # fullwidth full stops
        "127｡0｡0｡1",  # halfwidth ideographic full stops
        "１２７.0.0.1",  # fullwidth digits
        "①②⑦.⓪.⓪.①",  # circled digits
        "𝟏𝟐𝟕.0.0.1",  # mathematical digits
        "١٢٧.0.0.1",  # Arabic-Indic digits
        "０ｘ7f.1",
        "%31%32%37.0.0.1",  # percent-encoded digits
    ],
)
def test_an_address_is_written_as_four_decimal_numbers_only(host: str) -> None:
    with pytest.raises(InvalidTarget, match="four plain decimal numbers"):
        parse_target(f"http://{host}/")


@pytest.mark.parametrize(
    "host",
    [
        "a..b",
        ".example.com",
        "example.com..",
        "-example.com",
        "example-.com",
        "a" * 64 + ".com",
        ".".join(["a" * 63] * 4),
        "exa$mple.com",
        "ex%61mple.com",
        "example.com%2f.evil.example",
        "exa\u200bmple.com",  # zero width space
        "exa\u00admple.com",  # soft hyphen
        "example.com／evil.example",  # fullwidth solidus
        "℀.example",  # becomes a/c
        "example。。com",
        "xn--a",  # not punycode
        "xn--zz.example",
    ],
)
def test_an_invalid_domain_name_is_refused(host: str) -> None:
    with pytest.raises(InvalidTarget, match="not a valid domain name"):
        parse_target(f"http://{host}/")


@pytest.mark.parametrize(
    "text", ["http://me:secret@example.com/", "ftp://" + "x" * 999]
)
def test_the_message_is_short_and_repeats_no_password(text: str) -> None:
    with pytest.raises(InvalidTarget) as raised:
        parse_target(text)

    assert "secret" not in str(raised.value)
    assert len(str(raised.value)) < 250


url_like = st.lists(
    st.sampled_from(
        "http:// https:// // / ? # @ : [ ] % %25 . 。 :80 127 0x7f [::1] xn-- a É \t \\".split(
            " "
        )
    )
    | st.text(max_size=3),
    max_size=8,
).map("".join)


@unhurried
@given(url_like)
def test_any_text_is_a_url_in_its_normal_form_or_an_invalid_target(text: str) -> None:
    try:
        target = parse_target(f"http://{text}")
    except InvalidTarget:
        return

    assert parse_target(str(target)) == target
    assert target.host.isascii()


@unhurried
@given(url_like)
def test_any_location_leads_to_a_url_or_an_invalid_target(location: str) -> None:
    try:
        target = redirected(parse_target("http://example.com/a"), location)
    except InvalidTarget:
        return

    assert parse_target(str(target)) == target
    assert "@" not in target.authority


def test_a_default_port_does_not_change_the_target() -> None:
    assert parse_target("http://[::1]:80/") == parse_target("http://[::1]/")


# Following a redirect


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/other", "https://example.com:8443/other"),
        ("other", "https://example.com:8443/a/other"),
        ("?q=1", "https://example.com:8443/a/b?q=1"),
        ("//other.example/x", "https://other.example/x"),
        ("http://other.example/x#part", "http://other.example/x"),
        ("http://me:secret@other.example/", "http://other.example/"),
        ("//me@other.example/", "https://other.example/"),
        ("http://a@b@other.example/", "http://other.example/"),
        ("", "https://example.com:8443/a/b"),
        ("#part", "https://example.com:8443/a/b"),
        ("?", "https://example.com:8443/a/b?"),
        ("../../../c/./d/..", "https://example.com:8443/c/"),
        ("HTTPS://OTHER.example:443", "https://other.example"),
        (" /other ", "https://example.com:8443/other"),
    ],
)
def test_a_location_is_resolved_against_the_target_without_credentials(
    location: str, url: str
) -> None:
    target = parse_target("https://example.com:8443/a/b")

    assert str(redirected(target, location)) == url


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/wiki/A_%26_B", "/wiki/A_%26_B"),
        ("/a%2Fb%40c?d=%26%3D%2b&e=%3F", "/a%2Fb%40c?d=%26%3D%2b&e=%3F"),
        ("/?", "/?"),
        ("/a?b=c?d/../e", "/a?b=c?d/../e"),
        ("/%7Euser/%e9%41", "/%7Euser/%e9%41"),
        ("/a%zz%", "/a%zz%"),  # not a valid escape, but sent unchanged
        ("/a b", "/a%20b"),
        ("/ü?ü", "/%C3%BC?%C3%BC"),
        ("/\udcfc", "/%FC"),  # a byte that is not UTF-8
        ("/a\\b", "/a%5Cb"),
        ('/{a}"<b>`', "/%7Ba%7D%22%3Cb%3E%60"),
        ("/a|b^c[d]", "/a|b^c[d]"),
    ],
)
def test_a_location_is_sent_as_it_was_given(location: str, sent: str) -> None:
    target = redirected(parse_target("http://example.com/a/b"), location)

    assert target.request_target == sent
    assert parse_target(str(target)) == target


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("http://example.com", "/"),
        ("http://example.com?a=b", "/?a=b"),
        ("http://example.com/?", "/?"),
        ("http://example.com/A_%26_B?q=%40", "/A_%26_B?q=%40"),
        ("http://example.com//a//b", "//a//b"),
    ],
)
def test_a_url_is_sent_as_it_was_given(text: str, sent: str) -> None:
    assert parse_target(text).request_target == sent


def test_a_location_may_have_8000_characters() -> None:
    location = "/" + "a" * (MAX_LOCATION_LENGTH - 1)

    target = redirected(parse_target("http://example.com/"), location)

    assert target.request_target == location


@pytest.mark.parametrize(
    "location",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,hello",
        "localhost:8000/",
        "http://2130706433/",
        "//127.1/",
        "//[::1",
        "/a\tb",
        "/a\r\nb",
        "http:/b",
        "http:b",
        "http://example.com:" + "9" * 5000,
        "/" + "a" * MAX_LOCATION_LENGTH,
        "//me@",
    ],
)
def test_a_location_that_is_not_a_valid_url_is_refused(location: str) -> None:
    with pytest.raises(InvalidTarget):
        redirected(parse_target("http://example.com/"), location)
