"""Base classes of the catalog's admin pages."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import RelatedFieldListFilter, display
from django.contrib.admin.widgets import AdminTextInputWidget
from django.contrib.messages.storage import default_storage
from django.db import IntegrityError
from django.db.models import QuerySet, TextField
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from catalog.admin.exchange import ExchangeAdmin
from catalog.admin.paginator import BoundedPaginator, count_up_to
from catalog.admin.references import References
from catalog.admin.search import named_or_numbered
from catalog.models.product import NAME_LENGTH
from catalog.writing.locks import bounded_locks

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

NAMES_LISTED = 100


class FewChoicesFilter(RelatedFieldListFilter):
    """A filter by a related table, shown while its choices fit beside the list."""

    MAX_CHOICES = 200

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: Any
    ) -> list[tuple[str, "str | StrPromise"]]:
        rows = field.remote_field.model._default_manager.order_by("name")
        return [(str(row.pk), str(row)) for row in rows[: self.MAX_CHOICES + 1]]

    def has_output(self) -> bool:
        # A filter that is in use is applied only if it is shown.
        return bool(self.used_parameters) or (
            len(self.lookup_choices) <= self.MAX_CHOICES and super().has_output()
        )


class CatalogAdmin(ExchangeAdmin):
    paginator = BoundedPaginator
    show_full_result_count = False

    class Media:
        css = {"all": ("catalog/admin.css",)}

    # A name is a single line, although its column has no maximum length.
    formfield_overrides = {
        TextField: {
            "widget": AdminTextInputWidget(
                attrs={"class": "vLargeTextField", "maxlength": NAME_LENGTH}
            )
        }
    }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        view = super().changeform_view
        return retried_on_conflict(
            request, lambda: view(request, object_id, form_url, extra_context)
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        view = super().changelist_view
        return retried_on_conflict(request, lambda: view(request, extra_context))

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        view = super().delete_view
        return retried_on_conflict(
            request, lambda: view(request, object_id, extra_context)
        )

    def get_deleted_objects(
        self, objs: "Sequence[Any] | QuerySet[Any]", request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Counts the rows to delete. Django's own would load and list each of them, and
        each row that refers to one."""
        count = len(objs) if isinstance(objs, Sequence) else count_up_to(objs)
        names = [str(row) for row in objs[:NAMES_LISTED]]
        if count > NAMES_LISTED:
            names.append("…")
        going = {str(self.opts.verbose_name_plural): count}
        forbidden = set()
        if not self.has_delete_permission(request):
            forbidden.add(str(self.opts.verbose_name))
        return names, going, forbidden, self.protecting(objs)

    def protecting(self, rows: Iterable[Any]) -> list[str]:
        return []


def retried_on_conflict(
    request: HttpRequest, view: Callable[[], HttpResponse]
) -> HttpResponse:
    """The response of the view, which is called again after a concurrent change.

    The form was valid because the other change was not visible yet. On the second call
    it is: the form shows the error and keeps the input.
    """
    if request.method != "POST":
        return view()
    save = bounded_locks()(view)
    try:
        return save()
    except IntegrityError:
        # The messages may report a success that was rolled back.
        setattr(request, "_messages", default_storage(request))  # noqa: B010
        return save()


class NamedAdmin(CatalogAdmin):
    """Pages of a model that has a name and is referred to by other rows."""

    list_display: tuple[str, ...] = ("id", "name")
    list_editable = ("name",)
    readonly_fields = ("used",)
    search_fields = ("name",)
    search_help_text = "Search for words of the name, in any order, or for an ID."
    references: ClassVar[References]

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        return queryset.filter(named_or_numbered(search_term)), False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name", "used") if obj else ("name",)

    @display(description="used by")
    def used(self, row: Any) -> SafeString:
        return self.references.link(row)

    def protecting(self, rows: Iterable[Any]) -> list[str]:
        return self.references.protecting(rows)
