"""The admin's pages for brands."""

from django.contrib import admin

from catalog.admin.base import NamedAdmin
from catalog.admin.references import References
from catalog.models import Brand, Product


@admin.register(Brand)
class BrandAdmin(NamedAdmin):
    references = References(Product, "brand")
