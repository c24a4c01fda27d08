"""The admin's pages for products and their SKUs."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.admin.base import FewChoicesFilter, NamedAdmin
from catalog.admin.paginator import count_up_to
from catalog.admin.references import References
from catalog.admin.skus import SkuInline
from catalog.models import Product, Sku


@admin.register(Product)
class ProductAdmin(NamedAdmin):
    references = References(Sku, "product")
    list_display = ("id", "name", "brand")
    list_select_related = ("brand",)
    list_filter = (("brand", FewChoicesFilter),)
    # No index sorts products by the name of their brand.
    sortable_by = ("id", "name")
    autocomplete_fields = ("brand",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name", "brand", "used") if obj else ("name", "brand")

    def get_inlines(
        self, request: HttpRequest, obj: Any
    ) -> "list[type[InlineModelAdmin[Any, Any]]]":
        # The page of a product with more SKUs links to their list instead.
        most = SkuInline.MAX_FORMS
        if obj and count_up_to(obj.skus.all(), most + 1) > most:
            return []
        return [SkuInline]

    def get_deleted_objects(
        self, objs: "Sequence[Any] | QuerySet[Any]", request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        names, going, forbidden, _ = super().get_deleted_objects(objs, request)
        skus = Sku._meta
        going[str(skus.verbose_name_plural)] = count_up_to(self.references.to(objs))
        if not request.user.has_perm("catalog.delete_sku"):
            forbidden.add(str(skus.verbose_name))
        return names, going, forbidden, []

    def protecting(self, rows: Any) -> list[str]:
        return []  # A product's SKUs are deleted with it.
