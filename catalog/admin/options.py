"""The admin's pages for colours and sizes."""

from django.contrib import admin

from catalog.admin.base import NamedAdmin
from catalog.admin.references import References
from catalog.models import ProductColor, ProductSize, Sku


@admin.register(ProductColor)
class ColorAdmin(NamedAdmin):
    references = References(Sku, "color")


@admin.register(ProductSize)
class SizeAdmin(NamedAdmin):
    references = References(Sku, "size")
