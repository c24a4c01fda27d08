"""What is a token, and whose is the one that was sent?

A token is its secret: who holds it may write. It is shown once, when it is made, and kept
as its SHA-256 hash. A slow hash, as for passwords, would add nothing: nobody guesses 32
random bytes, however quickly they may try.
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from catalog.models import AccessToken

# Programs that look for leaked secrets know a token by it.
PREFIX = "avc_"
RANDOM_BYTES = 32
SHAPE = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")

# A token in steady use costs the database one write in this time.
USE_NOTED_EVERY = timedelta(minutes=1)


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def digest_of(secret: str) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(secret.encode()).digest()


def subject_of(secret: str) -> str:
    """What to call a token where it is counted: the same for all that it does.

    Needs no database, so that requests can be counted before one is asked.
    """
    return f"token {digest_of(secret)[:16].hex()}"


def issue(token: AccessToken) -> str:
    """Saves a new token, and answers its secret, which cannot be found again."""
    token.secret = new_secret()
    token.digest = digest_of(token.secret)
    token.save(force_insert=True)
    return token.secret


def find(secret: str, now: datetime) -> AccessToken | None:
    """The token with that secret; None where it is unknown, ended, or its owner is not active."""
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
    """Writes down when the token was used, give or take USE_NOTED_EVERY.

    Waits for nobody: whoever else is noting it notes the same.
    """
    not_lately = Q(last_used=None) | Q(last_used__lte=now - USE_NOTED_EVERY)
    if token.last_used is not None and token.last_used > now - USE_NOTED_EVERY:
        return
    with transaction.atomic():
        unlocked = AccessToken.objects.filter(not_lately, pk=token.pk)
        AccessToken.objects.filter(
            pk__in=unlocked.select_for_update(skip_locked=True).values("pk")
        ).update(last_used=now)


def revoke(token: AccessToken, now: datetime) -> None:
    """Ends the token for good; one that was revoked before keeps that time."""
    AccessToken.objects.filter(pk=token.pk, revoked=None).update(revoked=now)
