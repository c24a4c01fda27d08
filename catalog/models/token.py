"""Who may write, without a browser? Whoever holds a token that was made in the admin."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, TextChoices
from django.utils import timezone


class Scope(TextChoices):
    """What a token may be good for. Another scope is another row here."""

    BRANDS = "brands:write", "make, change and delete brands"
    PRODUCTS = "products:write", "make, change and delete products"


def known_scopes(scopes: list[str]) -> None:
    """Raises ValidationError that names what is no scope, and what is."""
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown:
        raise ValidationError(
            f"{', '.join(map(repr, unknown))} is no scope; these are: "
            f"{', '.join(Scope.values)}."
        )


class AccessTokens(models.QuerySet["AccessToken"]):
    def good(self, now: datetime) -> "AccessTokens":
        """Those that still count at `now`."""
        return self.filter(
            Q(expires=None) | Q(expires__gt=now), revoked=None, owner__is_active=True
        )


class AccessToken(models.Model):
    """One token as the site knows it: what it is good for, and the hash of its secret."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="access_tokens",
        help_text="Who answers for it. When they may no longer log in, it ends too.",
    )
    name = models.CharField(
        max_length=100, help_text="What it is for, such as “nightly import”."
    )
    scopes = ArrayField(
        models.CharField(max_length=50),
        validators=[known_scopes],
        help_text="What it may be used for.",
    )
    digest = models.BinaryField("SHA-256 of the secret", unique=True, editable=False)
    created = models.DateTimeField(default=timezone.now, editable=False)
    last_used = models.DateTimeField(null=True, editable=False)
    expires = models.DateTimeField(
        null=True, blank=True, help_text="Empty: it does not end by itself."
    )
    revoked = models.DateTimeField(null=True, editable=False)

    # Known to whoever has just issued it, and kept nowhere.
    secret: str | None = None

    objects: ClassVar = AccessTokens.as_manager()

    class Meta:
        db_table = "catalog_access_token"
        ordering = ("-created",)

    def __str__(self) -> str:
        return self.name

    def counts(self, now: datetime) -> bool:
        """Whether it is good at `now`, by itself and its owner: as `good` has it."""
        ended = self.expires is not None and self.expires <= now
        return self.revoked is None and not ended and self.owner.is_active
