"""Where the catalog's API is, and what describes it."""

from django.urls import path

from catalog.api import api
from catalog.description import docs, openapi
from catalog.routes import brands, products

# In this order they are looked through: products are asked for most.
api.add_router("", products.router)
api.add_router("", brands.router)

urlpatterns = [
    *api.patterns(),
    path("openapi.json", openapi, name="openapi"),
    path("docs", docs, name="docs"),
]
