"""How are brands kept?"""

from django.contrib import admin

from catalog.admin.base import NamedAdmin
from catalog.admin.references import References
from catalog.files.transfer import BrandResource
from catalog.models import Brand, Product


@admin.register(Brand)
class BrandAdmin(NamedAdmin):
    resource_classes = (BrandResource,)
    references = References(Product, "brand")
