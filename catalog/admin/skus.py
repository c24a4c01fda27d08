"""The admin's pages for SKUs, and the forms for SKUs within a product's page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import ForeignKey, Q, QuerySet
from django.forms import BaseInlineFormSet, ModelChoiceField
from django.http import HttpRequest

from catalog.admin.base import CatalogAdmin, FewChoicesFilter
from catalog.admin.search import named, number_in
from catalog.models import Product, Sku
from catalog.models.product import COMBINATION_TAKEN

if TYPE_CHECKING:
    InlineFormSet = BaseInlineFormSet[Sku, Product, Any]
    TabularInline = admin.TabularInline[Sku, Product]
else:
    InlineFormSet = BaseInlineFormSet
    TabularInline = admin.TabularInline


@admin.register(Sku)
class SkuAdmin(CatalogAdmin):
    list_display = ("id", "product", "size", "color")
    list_select_related = ("product", "size", "color")
    list_filter = (("size", FewChoicesFilter), ("color", FewChoicesFilter))
    # Counting each choice would read the whole table.
    show_facets = admin.ShowFacets.NEVER
    # No index sorts SKUs by the name of their product, size or colour.
    sortable_by = ("id",)
    autocomplete_fields = ("product", "size", "color")
    search_fields = ("product__name",)
    search_help_text = (
        "Search for words of the product's name, in any order, or for the ID of a SKU or"
        " product."
    )

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        number = number_in(search_term)
        if number is not None:
            return queryset.filter(Q(id=number) | Q(product=number)), False
        if not search_term.strip():
            return queryset, False
        products = Product.objects.filter(named(search_term))
        return queryset.filter(product__in=products), False


class ChosenSelect(AutocompleteSelect):
    """An autocomplete select with the selected object; Django's own would query for it."""

    chosen: Any = None

    def optgroups(
        self, name: str, value: Sequence[str], attrs: dict[str, Any] | None = None
    ) -> list[Any]:
        if self.chosen is None or list(value) != [str(self.chosen.pk)]:
            return super().optgroups(name, value, attrs)
        option = self.create_option(name, value[0], str(self.chosen), True, 0)
        return [(None, [option], 0)]


class SkuFormSet(InlineFormSet):
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if form.instance.pk:
            for name in ("size", "color"):
                # The outer widget adds the links to add and change an object.
                form.fields[name].widget.widget.chosen = getattr(form.instance, name)

    def clean(self) -> None:
        """Rejects combinations that were saved by someone else since the page was loaded.

        Django compares the rows of the page with each other, but skips the constraint,
        because it includes the product, which is not a field of these forms.
        """
        super().clean()
        if not self.instance.pk:
            return
        ours = [form.instance.pk for form in self.initial_forms]
        others = Sku.objects.filter(product=self.instance).exclude(pk__in=ours)
        taken = set(others.values_list("size_id", "color_id"))
        for form in self.forms:
            sku = form.instance
            if form.has_changed() and (sku.size_id, sku.color_id) in taken:
                form.add_error(None, COMBINATION_TAKEN)


class SkuInline(TabularInline):
    model = Sku
    formset = SkuFormSet
    extra = 1
    # With more SKUs a form would exceed Django's limit of 1,000 fields.
    MAX_FORMS = 200

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Sku]":
        return super().get_queryset(request).select_related("size", "color")

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> "ModelChoiceField[Any] | None":
        kwargs["widget"] = ChosenSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(db_field, ForeignKey):
            # To save space, each choice keeps only the link to add an object.
            field.widget.can_change_related = False
            field.widget.can_delete_related = False
            field.widget.can_view_related = False
        return field
