"""Access tokens, with which programs may write through the API."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, TextChoices
from django.utils import timezone


class Scope(TextChoices):
    """What a token allows."""

    BRANDS = "brands:write", "add, change and delete brands"
    PRODUCTS = "products:write", "add, change and delete products"


def known_scopes(scopes: list[str]) -> None:
    """Raises ValidationError for unknown scopes."""
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown:
        raise ValidationError(
            f"Unknown scope: {', '.join(map(repr, unknown))}. The scopes are "
            f"{', '.join(Scope.values)}."
        )


class AccessTokens(models.QuerySet["AccessToken"]):
    def valid_at(self, now: datetime) -> "AccessTokens":
        """The tokens that are valid at `now`."""
        return self.filter(
            Q(expires=None) | Q(expires__gt=now), revoked=None, owner__is_active=True
        )


class AccessToken(models.Model):
    """A token's scopes, lifetime, and the hash of its secret."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="access_tokens",
        help_text="The user responsible for it. The token is invalid while the account is inactive.",
    )
    name = models.CharField(
        max_length=100, help_text="Its purpose, such as “nightly import”."
    )
    scopes = ArrayField(
        models.CharField(max_length=50),
        validators=[known_scopes],
        help_text="What the token allows.",
    )
    digest = models.BinaryField("SHA-256 of the secret", unique=True, editable=False)
    created = models.DateTimeField(default=timezone.now, editable=False)
    last_used = models.DateTimeField(null=True, editable=False)
    expires = models.DateTimeField(
        null=True, blank=True, help_text="Leave empty if it should not expire."
    )
    revoked = models.DateTimeField(null=True, editable=False)

    # Set only when the token is issued; not stored.
    secret: str | None = None

    objects: ClassVar = AccessTokens.as_manager()

    class Meta:
        db_table = "catalog_access_token"
        ordering = ("-created",)

    def __str__(self) -> str:
        return self.name

    def is_valid_at(self, now: datetime) -> bool:
        """Whether the token is valid at `now`, by the same rules as `valid_at`."""
        ended = self.expires is not None and self.expires <= now
        return self.revoked is None and not ended and self.owner.is_active
