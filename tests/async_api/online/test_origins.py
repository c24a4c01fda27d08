"""Only pages of the site and of trusted origins may open a socket."""

import pytest
from pytest_django import Settings

from async_api.online.origins import OriginRefused, require_origin
from async_views.runtime.asgi.types import Scope


@pytest.fixture(autouse=True)
def site(settings: Settings) -> Settings:
    """A site in production, with one host name and trusted origins on other hosts."""
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["example.org", "[::1]"]
    settings.CSRF_TRUSTED_ORIGINS = [
        "https://friend.example",
        "https://*.friends.example:8443",
    ]
    settings.ONLINE_WITHOUT_ORIGIN = False
    return settings


def scope(
    *origins: str, host: str | None = "example.org", scheme: str = "wss"
) -> Scope:
    headers = [(b"origin", origin.encode("latin-1")) for origin in origins]
    if host is not None:
        headers.append((b"host", host.encode("latin-1")))
    return {"type": "websocket", "scheme": scheme, "headers": headers}


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("https://example.org", "example.org", "wss"),
        ("http://example.org", "example.org", "ws"),
        ("http://example.org:8000", "example.org:8000", "ws"),
        ("http://[::1]:8000", "[::1]:8000", "ws"),
        ("https://example.org", "Example.ORG", "wss"),
        ("https://example.org", "example.org:443", "wss"),
        ("https://example.org:443", "example.org", "wss"),
        ("http://example.org", "example.org:80", "ws"),
        ("http://[::1]:80", "[::1]", "ws"),
        ("https://friend.example", "example.org", "wss"),
        ("https://friend.example:443", "example.org", "wss"),
        ("https://a.friends.example:8443", "example.org", "wss"),
    ],
)
def test_the_site_s_own_pages_and_trusted_origins_are_allowed(
    origin: str, host: str, scheme: str
) -> None:
    require_origin(scope(origin, host=host, scheme=scheme))


@pytest.mark.parametrize(
    "origin",
    [
        "https://elsewhere.example",
        "https://example.org.elsewhere.example",
        "https://www.example.org",
        "http://example.org",
        "https://example.org:8443",
        "https://example.org:80",
        "http://friend.example",
        "https://friend.example:8443",
        "https://a.friends.example",
        "https://notfriends.example:8443",
        "null",
        "",
        "https://[",
        "https://example.org\xff",
    ],
)
def test_any_other_origin_is_refused_by_name(origin: str) -> None:
    with pytest.raises(OriginRefused) as refused:
        require_origin(scope(origin))

    assert repr(origin) in str(refused.value)
    assert "'https://example.org' may" in str(refused.value)


def test_two_origins_are_refused() -> None:
    with pytest.raises(OriginRefused):
        require_origin(scope("https://example.org", "https://example.org"))


def test_a_client_without_an_origin_is_allowed_only_by_a_setting(
    site: Settings,
) -> None:
    with pytest.raises(OriginRefused, match="ONLINE_WITHOUT_ORIGIN"):
        require_origin(scope())

    site.ONLINE_WITHOUT_ORIGIN = True
    require_origin(scope())


@pytest.mark.parametrize("host", ["elsewhere.example", "", None, "example.org/x"])
@pytest.mark.parametrize("names_origin", [True, False])
def test_an_unknown_host_does_not_make_its_origin_allowed(
    site: Settings, host: str | None, names_origin: bool
) -> None:
    site.ONLINE_WITHOUT_ORIGIN = True
    origins = [f"https://{host}"] if names_origin else []

    with pytest.raises(OriginRefused, match="ALLOWED_HOSTS"):
        require_origin(scope(*origins, host=host))


def test_a_long_origin_is_shortened_in_the_message() -> None:
    with pytest.raises(OriginRefused) as refused:
        require_origin(scope("https://" + "a" * 10_000))

    assert len(str(refused.value)) < 500
