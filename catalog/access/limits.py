"""Rate limits on reads and on writes, by address and by token."""

from functools import cache

from django.conf import settings
from django.http import HttpRequest

from async_views.runtime.handler.header_fields import HeaderFields
from async_views.runtime.views.rate_limit import Policy, address_subject, rate_limits
from catalog.access.access import presented_token
from catalog.access.tokens import subject_of

WINDOW_SECONDS = 60


def count_read(request: HttpRequest) -> HeaderFields:
    """Count one read, and return the headers that say how many are left.

    Raises Problem 429 if none is left. Neither blocks nor waits.
    """
    return count(request, "reads", settings.CATALOG_READS_A_MINUTE)


def count_write(request: HttpRequest) -> HeaderFields:
    """Like count_read, for a write."""
    return count(request, "writes", settings.CATALOG_WRITES_A_MINUTE)


def count(request: HttpRequest, name: str, limit: int) -> HeaderFields:
    if not limit:
        return {}
    standing = rate_limits.take(address_subject(request), policy(name, limit))
    # An invalid token is counted too; a client that guesses is limited by its address.
    secret = presented_token(request)
    if secret is not None:
        of_token = rate_limits.take(subject_of(secret), policy(name, limit))
        standing = min(standing, of_token, key=lambda each: each.remaining)
    return standing.fields()


@cache
def policy(name: str, limit: int) -> Policy:
    return Policy(name, limit, WINDOW_SECONDS)
