"""Access tokens: issuing, finding and revoking them.

A token is a secret, and any client that has it may write. It is shown once, when it is issued,
and only its SHA-256 hash is stored. A slow hash, as for passwords, would add nothing:
32 random bytes cannot be guessed at any speed.
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from catalog.models import AccessToken

# Lets scanners for leaked secrets recognize a token.
PREFIX = "avc_"
RANDOM_BYTES = 32
SHAPE = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")

# A token in steady use costs the database one write in this interval.
LAST_USED_INTERVAL = timedelta(minutes=1)


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def digest_of(secret: str) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()


def subject_of(secret: str) -> str:
    """The name under which a token's requests are counted.

    It needs no database, so that requests are counted before the database is queried.
    """
    return f"token {digest_of(secret)[:16].hex()}"


def issue(token: AccessToken) -> str:
    """Save a new token, and return its secret, which cannot be recovered later."""
    token.secret = new_secret()
    token.digest = digest_of(token.secret)
    token.save(force_insert=True)
    return token.secret


def find(secret: str, now: datetime) -> AccessToken | None:
    """The token with this secret; None if it is unknown or ended, or its owner is inactive."""
    if not SHAPE.fullmatch(secret):
        return None
    good: AccessToken | None = (
        AccessToken.objects.valid_at(now)
        .select_related("owner")
        .filter(digest=digest_of(secret))
        .first()
    )
    return good


def note_use(token: AccessToken, now: datetime) -> None:
    """Record the time of use, to within LAST_USED_INTERVAL.

    Does not wait for locks: a concurrent request records the same.
    """
    not_lately = Q(last_used=None) | Q(last_used__lte=now - LAST_USED_INTERVAL)
    if token.last_used is not None and token.last_used > now - LAST_USED_INTERVAL:
        return
    with transaction.atomic():
        unlocked = AccessToken.objects.filter(not_lately, pk=token.pk)
        AccessToken.objects.filter(
            pk__in=unlocked.select_for_update(skip_locked=True).values("pk")
        ).update(last_used=now)


def revoke(token: AccessToken, now: datetime) -> None:
    """End the token for good. The time of an earlier revocation is kept."""
    AccessToken.objects.filter(pk=token.pk, revoked=None).update(revoked=now)
