"""Access control of writes, and the responses to clients without access."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from pytest_django import Settings

from catalog.access import tokens
from catalog.access.access import writer
from catalog.models import AccessToken, Scope

SCOPE = Scope.PRODUCTS
PERMISSION = "catalog.add_product"


@csrf_exempt
async def write(request: HttpRequest) -> HttpResponse:
    sender = await sync_to_async(writer)(request, SCOPE, PERMISSION)
    return JsonResponse({"name": sender.name, "subject": sender.subject})


urlpatterns = [path("write", write)]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def token(alice: User) -> AccessToken:
    token = AccessToken(owner=alice, name="import", scopes=[SCOPE])
    tokens.issue(token)
    return token


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True)


def challenge(client: Client, authorization: str | None) -> tuple[int, str]:
    """Status and WWW-Authenticate of the response to a write."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = client.post("/write", headers=headers)
    return answer.status_code, answer.headers.get("WWW-Authenticate", "")


def test_a_token_s_holder_may_write(client: Client, token: AccessToken) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        answer = client.post(
            "/write", headers={"Authorization": f"{scheme} {token.secret}"}
        )

        assert answer.json() == {
            "name": "token 'import' of alice",
            "subject": tokens.subject_of(str(token.secret)),
        }


def test_the_use_of_a_token_is_recorded(client: Client, token: AccessToken) -> None:
    before = timezone.now()

    challenge(client, f"Bearer {token.secret}")

    token.refresh_from_db()
    assert token.last_used
    assert before <= token.last_used <= timezone.now()


@pytest.mark.parametrize("access", ["token", "anyone"])
def test_an_invalid_token_is_refused_even_if_anyone_may_write(
    client: Client, token: AccessToken, settings: Settings, access: str
) -> None:
    settings.CATALOG_WRITE_ACCESS = access
    ended = AccessToken(owner=token.owner, name="ended", scopes=[SCOPE])
    ended.expires = timezone.now() - timedelta(seconds=1)
    tokens.issue(ended)

    for secret in (tokens.new_secret(), ended.secret, "hunter2", ""):
        answer = client.post("/write", headers={"Authorization": f"Bearer {secret}"})

        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert answer["Content-Type"] == "application/problem+json"
        assert "unknown, has expired or was revoked" in answer.json()["detail"]
        assert not secret or secret not in answer.content.decode()


@pytest.mark.parametrize("access", ["token", "anyone"])
def test_a_token_without_the_scope_is_refused_and_the_response_names_it(
    client: Client, token: AccessToken, settings: Settings, access: str
) -> None:
    settings.CATALOG_WRITE_ACCESS = access
    AccessToken.objects.update(scopes=[Scope.BRANDS])

    answer = client.post("/write", headers={"Authorization": f"Bearer {token.secret}"})

    assert answer.status_code == 403
    assert (
        answer["WWW-Authenticate"]
        == 'Bearer error="insufficient_scope", scope="products:write"'
    )
    assert answer.json()["detail"] == (
        "The token 'import' lacks the scope products:write; it has brands:write. "
        "Its scopes are set in the admin."
    )


@pytest.mark.parametrize("authorization", [None, "Basic YTpi", "Digest x", "avc_x", ""])
def test_a_client_without_a_token_gets_a_401(
    client: Client, authorization: str | None
) -> None:
    assert challenge(client, authorization) == (401, "Bearer")


def test_anyone_may_write_if_the_settings_allow_it(
    client: Client, settings: Settings
) -> None:
    settings.CATALOG_WRITE_ACCESS = "anyone"

    answer = client.post("/write", REMOTE_ADDR="2001:db8:1:2::3")

    assert answer.json() == {
        "name": "anyone at address 2001:db8:1:2::/64",
        "subject": "address 2001:db8:1:2::/64",
    }


# --- Staff users, in a browser ---


@pytest.fixture
def editor(client: Client) -> User:
    """A client that is logged in and has the CSRF cookie of a page of the site."""
    user = User.objects.create_user("editor", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="add_product"))
    client.force_login(user)
    client.cookies["csrftoken"] = "a" * 32
    return user


def from_own_page(client: Client) -> tuple[int, str]:
    answer = client.post("/write", headers={"X-CSRFToken": "a" * 32})
    return answer.status_code, str(answer.json().get("detail", answer.json()))


def test_an_editor_may_write_from_a_page_of_the_site(
    client: Client, editor: User
) -> None:
    answer = client.post("/write", headers={"X-CSRFToken": "a" * 32})

    assert answer.json() == {"name": "user editor", "subject": f"user {editor.pk}"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRFToken": "b" * 32},
        {"X-CSRFToken": "a" * 32, "Origin": "https://evil.example"},
    ],
)
def test_another_site_s_page_cannot_write_for_an_editor(
    client: Client, editor: User, headers: dict[str, str]
) -> None:
    answer = client.post("/write", headers=headers)

    assert answer.status_code == 403
    assert "as the header X-CSRFToken" in answer.json()["detail"]


def test_an_editor_without_the_permission_is_refused_with_its_name(
    client: Client, editor: User
) -> None:
    editor.user_permissions.clear()

    assert from_own_page(client) == (
        403,
        "editor is logged in, but lacks the permission catalog.add_product.",
    )


def test_a_permission_is_not_enough_without_staff_status(
    client: Client, editor: User
) -> None:
    User.objects.filter(pk=editor.pk).update(is_staff=False)

    assert from_own_page(client)[0] == 403


def test_an_editor_whose_account_is_closed_may_not_write(
    client: Client, editor: User
) -> None:
    User.objects.filter(pk=editor.pk).update(is_active=False)

    assert from_own_page(client)[0] == 401


def test_an_invalid_token_is_refused_in_spite_of_a_session(
    client: Client, editor: User
) -> None:
    answer = client.post(
        "/write", headers={"X-CSRFToken": "a" * 32, "Authorization": "Bearer avc_x"}
    )

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        # Requests of programs, such as the book's curl.
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, 200),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "http://testserver:80"}, 200),
        ({"Origin": "http://testserver", "Host": "testserver:80"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://trusted.example"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://a.some.example"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site, none"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://testserver:8080"}, 403),
        ({"Origin": "https://testserver"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Origin": ""}, 403),
    ],
)
def test_a_page_of_another_origin_cannot_write_even_if_anyone_may(
    client: Client, settings: Settings, headers: dict[str, str], status: int
) -> None:
    settings.CATALOG_WRITE_ACCESS = "anyone"
    settings.CSRF_TRUSTED_ORIGINS = [
        "https://trusted.example",
        "https://*.some.example",
    ]

    answer = client.post("/write", headers=headers)

    assert answer.status_code == status


def test_a_token_is_valid_whatever_page_sends_it(
    client: Client, settings: Settings, token: AccessToken
) -> None:
    settings.CATALOG_WRITE_ACCESS = "anyone"
    headers = {
        "Authorization": f"Bearer {token.secret}",
        "Origin": "https://elsewhere.example",
        "Sec-Fetch-Site": "cross-site",
    }

    assert client.post("/write", headers=headers).status_code == 200
