"""The rows that refer to a row: their number, and a link to their list."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.admin.paginator import COUNTED, count_up_to


def counted(model: type[Model], count: int) -> str:
    """A number of rows in words, such as “1 brand” or “10,000 or more SKUs”."""
    names = model._meta
    name = names.verbose_name if count == 1 else names.verbose_name_plural
    return f"{count:,}{' or more' if count == COUNTED else ''} {name}"


@dataclass(frozen=True, slots=True)
class References:
    """The rows of ``model`` whose foreign key ``field`` refers to a given row."""

    model: type[Model]
    field: str

    def to(self, rows: Iterable[Any]) -> "QuerySet[Any]":
        return self.model._default_manager.filter(**{f"{self.field}__in": rows})

    def link(self, row: Any) -> SafeString:
        """The number of rows that refer to the row, as a link to their list."""
        names = self.model._meta
        path = reverse(f"admin:{names.app_label}_{names.model_name}_changelist")
        text = counted(self.model, count_up_to(self.to([row])))
        return format_html(
            '<a href="{}?{}__id__exact={}">{}</a>', path, self.field, row.pk, text
        )

    def protecting(self, rows: Iterable[Any]) -> list[str]:
        """For each row that is referred to, a line that says what to do before deleting."""
        return [
            format_html(
                "“{}” has {}: change or delete those first.", row, self.link(row)
            )
            for row in rows
            if self.to([row]).exists()
        ]
