"""Typed environment variables.

Each function reads one variable and returns a typed value, or stops the program with one
sentence that names the variable and says what it should be. An empty variable counts as
not set.
"""

import ipaddress
import os
import re
import zoneinfo
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from async_views.runtime.asgi.forwarded import origin_without_default_port

Parsed = TypeVar("Parsed")

TRUE = frozenset({"1", "true", "yes", "on"})
SECRET_LENGTH = 50
RANDOM_CHARACTERS = (
    f"it should be at least {SECRET_LENGTH} random characters, such as "
    "`python3 -c 'import secrets; print(secrets.token_urlsafe(50))'` prints"
)
FALSE = frozenset({"0", "false", "no", "off"})


class UnreadableVariable(SystemExit):
    """Stops the program with one sentence and exit status 1, without a traceback."""

    def __init__(self, name: str, wrong: str, right: str) -> None:
        super().__init__(f"{name} {wrong}: {right}.")
        self.name = name


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise UnreadableVariable(
        name,
        f"is {value!r}",
        "it should be 1 (or true, yes, on) or 0 (or false, no, off)",
    )


def integer(name: str, default: int, minimum: int, maximum: int) -> int:
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        number = minimum - 1
    if not minimum <= number <= maximum:
        raise UnreadableVariable(
            name,
            f"is {value!r}",
            f"it should be a whole number from {minimum} to {maximum}",
        )
    return number


def seconds(name: str, default: float, minimum: float, maximum: float) -> float:
    value = text(name)
    if not value:
        return float(default)
    try:
        number = float(value)
    except ValueError:
        number = minimum - 1
    # NaN fails both comparisons, so it is refused too.
    if not minimum <= number <= maximum:
        raise UnreadableVariable(
            name,
            f"is {value!r}",
            f"it should be a number of seconds from {minimum:g} to {maximum:g}",
        )
    return number


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in choices:
        raise UnreadableVariable(
            name, f"is {value!r}", f"it should be {' or '.join(choices)}"
        )
    return value


def items(name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A list separated by commas; `none` is the empty list."""
    value = text(name)
    if not value:
        return default
    if value.lower() == "none":
        return ()
    return tuple(item.strip() for item in value.split(",") if item.strip())


def parsed(
    name: str, default: tuple[str, ...], parse: Callable[[tuple[str, ...]], Parsed]
) -> Parsed:
    """A list that `parse` reads; it raises ValueError with a message of its own."""
    values = items(name, default)
    try:
        return parse(values)
    except ValueError as error:
        raise UnreadableVariable(
            name, "cannot be read", str(error).rstrip(".")
        ) from None


def path(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser().absolute()


def addresses(name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """IP addresses and networks, such as those of trusted proxies."""
    values = items(name, default)
    for value in values:
        try:
            ipaddress.ip_network(value)
        except ValueError:
            raise UnreadableVariable(
                name,
                f"contains {value!r}",
                "it should be IP addresses or networks, separated by commas, "
                "such as 10.0.0.5,192.168.0.0/16",
            ) from None
    return values


def time_zone(name: str, default: str) -> str:
    value = text(name, default)
    if value not in zoneinfo.available_timezones():
        raise UnreadableVariable(
            name,
            f"is {value!r}",
            "it should be a time zone such as UTC or Europe/Paris",
        )
    return value


def origins(name: str) -> tuple[str, ...]:
    values = items(name)
    for value in values:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
            raise UnreadableVariable(
                name,
                f"contains {value!r}",
                "it should be origins such as https://example.org, separated by commas",
            )
    # Browsers leave the default port out.
    return tuple(map(origin_without_default_port, values))


def hosts(name: str, required: bool) -> tuple[str, ...]:
    """The host names of the site, in the form of Django's ALLOWED_HOSTS."""
    values = items(name)
    if required and not values:
        raise UnreadableVariable(
            name,
            "is empty",
            "it should be the host names of this site, separated by commas, "
            "such as example.org,www.example.org",
        )
    for value in values:
        if re.search(r"[/\s]|:\d+$", value) and not value.endswith("]"):
            raise UnreadableVariable(
                name,
                f"contains {value!r}",
                "it should be bare host names, such as example.org, without scheme, port or path",
            )
    return values


def secret(name: str, cure: str = "") -> str:
    """A secret that must be set; the error ends with `cure`, another way to have one."""
    value = text(name)
    if not value:
        raise UnreadableVariable(name, "is not set", RANDOM_CHARACTERS + cure)
    require_strong(name, value, cure)
    return value


def secrets(name: str) -> tuple[str, ...]:
    values = items(name)
    for value in values:
        require_strong(name, value)
    return values


def require_strong(name: str, value: str, cure: str = "") -> None:
    """Applies Django's own rule (security.W009); the error does not repeat the value."""
    if (
        len(value) < SECRET_LENGTH
        or len(set(value)) < 5
        or value.startswith("django-insecure-")
    ):
        raise UnreadableVariable(name, "is weak", RANDOM_CHARACTERS + cure)


def host(name: str, default: str) -> str:
    """A host name or address to listen on, without a port."""
    value = text(name, default)
    if not re.fullmatch(r"[0-9A-Za-z._-]+|[0-9A-Fa-f:.]+", value):
        raise UnreadableVariable(
            name,
            f"is {value!r}",
            "it should be an address of this machine, such as 127.0.0.1 or 0.0.0.0",
        )
    return value


def database(name: str, default: str) -> dict[str, object]:
    """A PostgreSQL URL as an entry of Django's DATABASES.

    The error does not repeat the value, which may contain a password.
    """
    url = text(name, default)
    wrong = UnreadableVariable(
        name,
        "cannot be read",
        "it should be postgresql://user:password@host:5432/database",
    )
    if not url.startswith(("postgresql://", "postgres://")):
        raise wrong
    try:
        parameters = dict(conninfo_to_dict(url))
        port = int(parameters.pop("port", None) or 5432)
    except (ProgrammingError, ValueError):
        raise wrong from None
    database_name = parameters.pop("dbname", None)
    if not database_name or not 1 <= port <= 65535:
        raise wrong
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database_name,
        "USER": parameters.pop("user", None) or "",
        "PASSWORD": parameters.pop("password", None) or "",
        "HOST": parameters.pop("host", None) or "",
        "PORT": port,
        "OPTIONS": _options(parameters),
    }


def _options(parameters: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in parameters.items() if value is not None}
