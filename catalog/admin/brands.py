"""How are brands kept?"""

from django.contrib import admin

from catalog.admin.base import NamedAdmin
from catalog.admin.references import References
from catalog.models import Brand, Product
from catalog.transfer import BrandResource


@admin.register(Brand)
class BrandAdmin(NamedAdmin):
    resource_classes = (BrandResource,)
    references = References(Product, "brand")
