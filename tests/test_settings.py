"""Each setting is read or rejected, never guessed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from async_views.runtime.configuration import environment
from async_views.runtime.configuration.development_secret import development_secret
from async_views.runtime.configuration.environment import UnreadableVariable
from tests.support.site import ROOT

DEPLOY = (
    (ROOT / "README.md").read_text().split("## Deploy\n\n```sh\n")[1].split("```")[0]
)
# The README's settings for production, with a secret like the one it creates.
PRODUCTION = dict(re.findall(r"(\w+)=([\w.:/@]+)", DEPLOY)) | {
    "SECRET_KEY": "".join(chr(33 + number) for number in range(60))
}


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a program of the site with PATH and these environment variables only."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | variables,
        capture_output=True,
        text=True,
    )


def test_the_documented_production_settings_pass_every_check() -> None:
    done = run(
        "manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION
    )

    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY is weak: it should be at least 50 random"),
        ("SECRET_KEY", "a" * 60, "SECRET_KEY is weak: "),
        ("SECRET_KEY", "django-insecure-" + "abcdefgh" * 9, "SECRET_KEY is weak: "),
        ("ALLOWED_HOSTS", "", "ALLOWED_HOSTS is empty: it should be the host names"),
        ("ALLOWED_HOSTS", "https://a.example", "ALLOWED_HOSTS contains 'https://a"),
        ("ALLOWED_HOSTS", "a.example:80", "ALLOWED_HOSTS contains 'a.example:80': "),
        ("SECRET_KEY_FALLBACKS", "tiny", "SECRET_KEY_FALLBACKS is weak: it should be"),
        ("HOST", "unix:/tmp/x", "HOST is 'unix:/tmp/x': it should be an address of"),
        ("DATABASE_URL", "mysql://me@db/site", "DATABASE_URL cannot be read: "),
        ("DATABASE_URL", "postgresql://db:secret/site", "DATABASE_URL cannot be read"),
        ("DATABASE_URL", "postgresql://db", "DATABASE_URL cannot be read: it should"),
        ("PORT", "80a", "PORT is '80a': it should be a whole number from 0 to 65535"),
        ("PORT", "65536", "PORT is '65536': "),
        ("DEBUG", "maybe", "DEBUG is 'maybe': it should be 1 (or true, yes, on) or 0"),
        ("PROBE_ACCESS", "all", "PROBE_ACCESS is 'all': it should be anyone or staff"),
        ("PROBE_PRIVATE_TARGETS", "10.0.0.1/8", "PROBE_PRIVATE_TARGETS cannot be read"),
        ("PROBE_BUDGET_SECONDS", "nan", "PROBE_BUDGET_SECONDS is 'nan': it should be"),
        ("TRUSTED_PROXIES", "*", "TRUSTED_PROXIES contains '*': it should be"),
        ("CSRF_TRUSTED_ORIGINS", "a.example", "CSRF_TRUSTED_ORIGINS contains 'a.exam"),
        ("TIME_ZONE", "Mars/Base", "TIME_ZONE is 'Mars/Base': it should be a time"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud': it should be DEBUG or INFO or"),
    ],
)
def test_a_bad_variable_stops_the_start_with_one_sentence(
    name: str, value: str, message: str
) -> None:
    done = run("-c", "import async_views.settings", **PRODUCTION | {name: value})

    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1
    assert value not in done.stderr or not name.startswith(("SECRET", "DATABASE"))


def test_a_missing_secret_stops_the_start_and_explains_how_to_create_one() -> None:
    done = run("-c", "import async_views.settings", **PRODUCTION | {"SECRET_KEY": ""})

    assert done.returncode == 1
    assert done.stderr.startswith("SECRET_KEY is not set: it should be at least 50 ")
    assert "DEBUG=1" in done.stderr


def test_by_default_debug_is_off_and_probing_is_for_staff() -> None:
    done = run(
        "-c",
        "from async_views import settings as s;"
        "print(s.DEBUG, s.PROBE_ACCESS, s.PROBE_PRIVATE_TARGETS.networks, s.HTTPS)",
        **PRODUCTION,
    )

    assert done.stdout == "False staff () True\n"


def test_development_needs_no_variable_but_debug() -> None:
    done = run(
        "-c",
        "from async_views import settings as s;"
        "print(s.DEBUG, s.PROBE_ACCESS, len(s.PROBE_PRIVATE_TARGETS.networks))",
        DEBUG="1",
    )

    assert done.stdout == "True anyone 2\n", done.stderr


def test_the_development_secret_is_random_kept_and_private(tmp_path: Path) -> None:
    secret = development_secret(tmp_path / "one" / "secret")

    assert development_secret(tmp_path / "one" / "secret") == secret
    assert development_secret(tmp_path / "two" / "secret") != secret
    assert len(secret) >= 50
    assert (tmp_path / "one" / "secret").stat().st_mode & 0o777 == 0o600
    assert len(list((tmp_path / "one").iterdir())) == 1


@pytest.mark.parametrize("name", ["a file/secret", "a directory"])
def test_a_development_secret_that_cannot_be_kept_is_reported_in_a_sentence(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "a file").touch()
    (tmp_path / "a directory").mkdir()

    with pytest.raises(UnreadableVariable) as stopped:
        development_secret(tmp_path / name)

    message = str(stopped.value)
    assert message.startswith("SECRET_KEY is not set, and none can be kept in ")
    assert str(tmp_path / name.split("/")[0]) in message
    assert "it should be at least 50 random characters" in message


@pytest.mark.parametrize(
    ("word", "value"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)]
)
def test_booleans_are_read_in_any_case(
    monkeypatch: pytest.MonkeyPatch, word: str, value: bool
) -> None:
    monkeypatch.setenv("KNOB", word)

    assert environment.boolean("KNOB", default=not value) is value


def test_a_variable_set_to_nothing_counts_as_not_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KNOB", "  ")

    assert environment.integer("KNOB", 7, 1, 9) == 7


def test_a_list_can_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KNOB", "none")

    assert environment.items("KNOB", ("default",)) == ()


def test_a_database_url_is_what_django_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "KNOB", "postgresql://me:p%40ss@db.example:5433/site?sslmode=require"
    )

    assert environment.database("KNOB", "") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "site",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": 5433,
        "OPTIONS": {"sslmode": "require"},
    }


def test_the_database_password_is_never_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KNOB", "postgresql://me:hunter2@[bad/site")

    with pytest.raises(UnreadableVariable) as stop:
        environment.database("KNOB", "")

    assert not re.search("hunter2", str(stop.value))
