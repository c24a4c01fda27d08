"""Limits on wrong passwords, checked before a password is hashed.

An attempt is counted when it begins, in a table that all workers share, and uncounted if
the password was right: however many arrive at once, no more than the limit are hashed.
Failures are counted

- per address (of IPv6, per /64), for all accounts together;
- per account and address, which locks out a user with typing errors;
- per account, against attackers with many addresses. An attacker could use this limit to
  lock an account's owner out, so it does not apply to an address from which the account
  has logged in during the last thirty days.

An account that does not exist counts, and takes as long, as one that does. Names are stored
as hashes, because people type passwords into that field by mistake.
"""

import hashlib
import math
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.views.rate_limit import address_subject

FAILURES_OF_AN_ACCOUNT_AT_AN_ADDRESS = 10
SOON_SECONDS = 5 * 60
FAILURES_OF_AN_ACCOUNT = 100
LATER_SECONDS = 60 * 60
DAY_SECONDS = 24 * 60 * 60
KNOWN_DAYS = 30

# Returns no row, and does not count, once the limit is reached.
COUNT = """
INSERT INTO login_count AS counted (policy, ends, subject, count)
VALUES (%s, to_timestamp(%s), %s, 1)
ON CONFLICT (ends, policy, subject) DO UPDATE SET count = counted.count + 1
    WHERE counted.count < %s
RETURNING count
"""
TAKE_BACK = """
UPDATE login_count SET count = greatest(count - 1, 0)
WHERE policy = %s AND ends = to_timestamp(%s) AND subject = %s
"""
FORGET = """
DELETE FROM login_count
WHERE policy = %s AND ends = to_timestamp(%s) AND subject = %s
"""
KNOWN = "logins known"
IS_KNOWN = """
SELECT EXISTS (
    SELECT FROM login_count WHERE policy = %s AND ends > now() AND subject = %s
)
"""
KNOW = """
INSERT INTO login_count (policy, ends, subject, count)
VALUES (%s, to_timestamp(%s), %s, 1) ON CONFLICT DO NOTHING
"""
# Workers that delete at the same time do not wait for each other.
EXPIRE = """
DELETE FROM login_count WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM login_count WHERE ends < now() FOR UPDATE SKIP LOCKED
))
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """The number of failures that a subject may have in a window of `seconds`."""

    policy: str
    subject: str
    failures: int
    seconds: int

    def window(self, now: float) -> "Window":
        return Window(self, (math.floor(now / self.seconds) + 1) * self.seconds)


@dataclass(frozen=True, slots=True)
class Window:
    """The window of a limit that ends at a Unix time."""

    limit: Limit
    ends: int

    @property
    def key(self) -> tuple[Any, ...]:
        return (self.limit.policy, self.ends, self.limit.subject)

    def count(self) -> bool:
        """Counts one failure; False, uncounted, if none was left."""
        return execute(COUNT, *self.key, self.limit.failures) is not None

    def take_back(self) -> None:
        execute(TAKE_BACK, *self.key)

    def forget(self) -> None:
        execute(FORGET, *self.key)


class Attempt:
    """One password that is about to be checked."""

    def __init__(self, request: HttpRequest, username: str) -> None:
        address, account = address_subject(request), account_subject(username)
        self.pair = f"{account} {address}"
        self.at_address = Limit(
            "failed logins of an address",
            address,
            settings.LOGIN_FAILURES_OF_AN_ADDRESS,
            SOON_SECONDS,
        )
        self.of_pair = Limit(
            "failed logins of an account at an address",
            self.pair,
            FAILURES_OF_AN_ACCOUNT_AT_AN_ADDRESS,
            SOON_SECONDS,
        )
        self.of_account = Limit(
            "failed logins of an account",
            account,
            FAILURES_OF_AN_ACCOUNT,
            LATER_SECONDS,
        )
        self.counted: list[Window] = []

    def begin(self) -> None:
        """Raises Problem 429 if there were too many failures."""
        now = time.time()
        limits = [self.of_pair]
        if self.at_address.failures:
            limits.insert(0, self.at_address)
        if not self.is_known():
            limits.append(self.of_account)
        for limit in limits:
            window = limit.window(now)
            if not window.count():
                # A refused attempt costs nothing and does not count.
                self.take_back()
                raise refusal(math.ceil(window.ends - now))
            self.counted.append(window)

    def succeed(self) -> None:
        """The password was right: uncounts it, and earlier failures at this address."""
        self.take_back()
        self.of_pair.window(time.time()).forget()
        today = math.floor(time.time() / DAY_SECONDS)
        ends = (today + KNOWN_DAYS) * DAY_SECONDS
        execute(KNOW, KNOWN, ends, self.pair)
        execute(EXPIRE)

    def take_back(self) -> None:
        for window in self.counted:
            window.take_back()
        self.counted.clear()

    def is_known(self) -> bool:
        found = execute(IS_KNOWN, KNOWN, self.pair)
        return bool(found and found[0])


def execute(statement: str, *parameters: Any) -> tuple[Any, ...] | None:
    """The first row of the result, if there is any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone() if cursor.description else None
        return row


@contextmanager
def attempt(request: HttpRequest, username: str) -> Iterator[Attempt]:
    """Counts an attempt; the block checks the password and calls `succeed` if it is right.

    Raises Problem 429 instead of running the block if there were too many failures.
    Blocks, as the ORM does.
    """
    begun = Attempt(request, username)
    begun.begin()
    try:
        yield begun
    except Exception:
        # The password was not checked.
        begun.take_back()
        raise


def account_subject(username: str) -> str:
    """The same for all spellings of a name that look alike."""
    folded = unicodedata.normalize("NFKC", username).casefold()
    digest = hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()
    return f"account {digest[:32]}"


def refusal(seconds: int) -> Problem:
    return Problem(
        429,
        "Too many wrong passwords for this account or from this address. Try again in "
        f"{seconds} seconds.",
        headers={"Retry-After": str(seconds)},
    )


class LimitedBackend(ModelBackend):
    """Django's backend, with a limit on wrong passwords."""

    @sensitive_variables("password")
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if request is None or username is None or password is None:
            # Not a guess: Django's test client, or another kind of credentials.
            return super().authenticate(request, username, password, **kwargs)
        with attempt(request, username) as begun:
            user = super().authenticate(request, username, password, **kwargs)
            if user is not None:
                begun.succeed()
        return user

    @sensitive_variables("password")
    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        return await sync_to_async(self.authenticate)(
            request, username, password, **kwargs
        )
