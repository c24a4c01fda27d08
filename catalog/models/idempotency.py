"""Responses stored for repeated writes with an Idempotency-Key."""

from django.db import models
from django.db.models import Index, UniqueConstraint
from django.utils import timezone


class RememberedAnswer(models.Model):
    """The response to a write with an Idempotency-Key, sent again for each repetition."""

    id = models.BigAutoField(primary_key=True)
    subject = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField()
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    body = models.BinaryField()
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "catalog_remembered_answer"
        constraints = (
            UniqueConstraint(
                fields=("subject", "key"), name="remembered_answer_subject_key"
            ),
        )
        indexes = (Index(fields=("created",), name="remembered_answer_created"),)

    def __str__(self) -> str:
        return f"{self.status} to {self.subject}"
