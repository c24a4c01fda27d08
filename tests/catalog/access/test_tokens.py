"""Access tokens: scopes, expiry, revocation, and secrets that only the holder knows."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.access import tokens
from catalog.models import AccessToken, Scope
from tests.support.catalog.threads import in_threads

NOW = timezone.now()
ADD = "/admin/catalog/accesstoken/add/"
LIST = "/admin/catalog/accesstoken/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return User.objects.create_user("alice", password="of wonderland")


@pytest.fixture
def token(alice: User) -> AccessToken:
    token = AccessToken(owner=alice, name="import", scopes=[Scope.PRODUCTS])
    tokens.issue(token)
    return token


def secret_of(token: AccessToken) -> str:
    assert token.secret
    return token.secret


def test_a_secret_is_recognisable_and_never_the_same() -> None:
    issued = {tokens.new_secret() for _ in range(1000)}

    assert len(issued) == 1000
    assert all(re.fullmatch(r"avc_[\w-]{43}", secret) for secret in issued)


def test_a_token_is_found_by_its_secret_and_by_no_other(token: AccessToken) -> None:
    assert tokens.find(secret_of(token), NOW) == token
    for wrong in ("", "avc_", tokens.new_secret(), secret_of(token)[:-1], "ä\0" * 9):
        assert tokens.find(wrong, NOW) is None


def test_a_malformed_token_costs_no_query(token: AccessToken) -> None:
    with CaptureQueriesContext(connection) as queries:
        tokens.find("hunter2", NOW)
        tokens.find(secret_of(token) + "x", NOW)

    assert len(queries) == 0


def test_a_secret_is_not_in_the_database(token: AccessToken) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM catalog_access_token t")
        kept = str(cursor.fetchall())

    assert secret_of(token) not in kept
    assert secret_of(token).encode().hex() not in kept
    assert tokens.digest_of(secret_of(token)).hex() in kept


def end(token: AccessToken) -> None:
    token.expires = NOW
    token.save()


def revoke(token: AccessToken) -> None:
    tokens.revoke(token, NOW)


def close_account(token: AccessToken) -> None:
    User.objects.filter(pk=token.owner_id).update(is_active=False)


@pytest.mark.parametrize("ending", [end, revoke, close_account])
def test_the_secret_of_a_token_that_ended_is_invalid(
    token: AccessToken, ending: Any
) -> None:
    secret = secret_of(token)

    ending(token)

    assert tokens.find(secret, NOW) is None
    assert not AccessToken.objects.get().is_valid_at(NOW)


def test_a_token_is_valid_until_the_moment_it_expires(token: AccessToken) -> None:
    end(token)
    before = NOW - timedelta(microseconds=1)

    assert tokens.find(secret_of(token), before) == token
    assert token.is_valid_at(before)


def test_revoking_again_does_not_change_the_time(token: AccessToken) -> None:
    tokens.revoke(token, NOW)

    tokens.revoke(token, NOW + timedelta(days=1))

    token.refresh_from_db()
    assert token.revoked == NOW


def test_use_is_recorded_at_most_once_a_minute(token: AccessToken) -> None:
    noted = []
    for seconds in (0, 1, 59, 60, 61):
        found = tokens.find(secret_of(token), NOW)
        assert found
        tokens.note_use(found, NOW + timedelta(seconds=seconds))
        token.refresh_from_db()
        assert token.last_used
        noted.append((token.last_used - NOW).total_seconds())

    assert noted == [0, 0, 0, 60, 60]


def test_use_within_the_minute_costs_no_query(token: AccessToken) -> None:
    token.last_used = NOW

    with CaptureQueriesContext(connection) as queries:
        tokens.note_use(token, NOW + timedelta(seconds=59))

    assert len(queries) == 0


def test_two_requests_at_the_same_time_record_one_use(token: AccessToken) -> None:
    one, other = AccessToken.objects.get(), AccessToken.objects.get()

    tokens.note_use(one, NOW)
    tokens.note_use(other, NOW + timedelta(seconds=1))

    token.refresh_from_db()
    assert token.last_used == NOW


@pytest.mark.django_db(transaction=True)
def test_recording_use_does_not_wait_for_another_transaction(
    token: AccessToken,
) -> None:
    def note_use_at_once(_: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
        tokens.note_use(token, NOW)

    with transaction.atomic():
        AccessToken.objects.select_for_update().get(pk=token.pk)
        in_threads(1, note_use_at_once)

    token.refresh_from_db()
    assert token.last_used is None


def test_an_unknown_scope_is_refused_by_name(alice: User) -> None:
    token = AccessToken(owner=alice, name="import", scopes=["brands:write", "skus:eat"])

    with pytest.raises(ValidationError) as refusal:
        token.clean_fields(exclude=["digest"])

    assert refusal.value.message_dict == {
        "scopes": [
            "Unknown scope: 'skus:eat'. The scopes are brands:write, products:write.",
        ]
    }


def test_each_token_has_its_own_subject_which_does_not_reveal_it() -> None:
    one, other = tokens.new_secret(), tokens.new_secret()

    assert tokens.subject_of(one) == tokens.subject_of(one)
    assert tokens.subject_of(one) != tokens.subject_of(other)
    assert one[4:] not in tokens.subject_of(one)


# --- In the admin ---


def administrator(*permissions: str, is_superuser: bool = False) -> Client:
    """A staff user who is logged in."""
    user = User.objects.create_user("root", is_staff=True, is_superuser=is_superuser)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_a_token_made_in_the_admin_is_shown_once_and_works(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = administrator(is_superuser=True)
    owner = User.objects.get(username="root")
    form = {"name": "import", "owner": owner.pk, "scopes": ["products:write"]}

    made = client.post(ADD, {**form, "expires_0": "", "expires_1": ""})

    [secret] = set(re.findall(r"avc_[\w-]{43}", made.content.decode()))
    token = tokens.find(secret, NOW)
    assert token
    assert (token.name, token.owner, token.scopes) == (
        "import",
        owner,
        ["products:write"],
    )
    assert "no-store" in made["Cache-Control"]
    assert secret not in str(made.cookies) + str(dict(made.headers)) + caplog.text
    assert secret not in str(client.session.items())
    later = [LIST, f"{LIST}{token.pk}/change/", f"{LIST}{token.pk}/history/"]
    for page in later:
        shown = client.get(page)
        assert shown.status_code == 200
        assert "import" in shown.content.decode()
        assert secret not in shown.content.decode()
    for entry in LogEntry.objects.values_list("object_repr", "change_message"):
        assert secret not in str(entry)


def test_a_user_who_is_not_a_superuser_creates_tokens_only_for_themselves(
    alice: User,
) -> None:
    client = administrator("add_accesstoken", "view_accesstoken")

    form = client.get(ADD).content.decode()
    client.post(ADD, {"name": "mine", "owner": alice.pk, "scopes": ["brands:write"]})

    assert 'name="owner"' not in form
    assert AccessToken.objects.get().owner.username == "root"


def test_an_owner_is_not_changed_afterwards(token: AccessToken) -> None:
    client = administrator(is_superuser=True)
    other = User.objects.get(username="root")
    form = {"name": "renamed", "owner": other.pk, "scopes": ["brands:write"]}

    client.post(f"{LIST}{token.pk}/change/", {**form, "expires_0": "", "expires_1": ""})

    changed = AccessToken.objects.get()
    assert (changed.name, changed.owner.username) == ("renamed", "alice")
    assert changed.scopes == ["brands:write"]
    assert tokens.find(secret_of(token), NOW) == changed


def test_tokens_are_revoked_from_the_list(token: AccessToken) -> None:
    client = administrator(is_superuser=True)

    answer = client.post(
        LIST, {"action": "revoke", "_selected_action": [token.pk]}, follow=True
    )

    assert "The selected tokens were revoked." in answer.content.decode()
    assert tokens.find(secret_of(token), timezone.now()) is None
    assert LogEntry.objects.get().get_change_message() == "Revoked."


def test_a_user_with_view_permission_alone_revokes_nothing(token: AccessToken) -> None:
    client = administrator("view_accesstoken")

    page = client.get(LIST).content.decode()
    client.post(LIST, {"action": "revoke", "_selected_action": [token.pk]})

    assert "Revoke" not in page
    assert tokens.find(secret_of(token), timezone.now()) == token
