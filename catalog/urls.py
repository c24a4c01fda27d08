"""Where the catalog is: its API, what describes that, and its pages for people."""

from django.urls import path

from catalog.api.description import docs, openapi
from catalog.api.dispatcher import api
from catalog.api.routes import brands, products
from catalog.pages import views

# In this order they are looked through: products are asked for most.
api.add_router("", products.router)
api.add_router("", brands.router)

urlpatterns = [
    *api.patterns(),
    path("catalog/", views.products, name="catalog"),
    path("catalog/brands/", views.brands, name="catalog_brands"),
    path("catalog/products/<int:product_id>/", views.product, name="catalog_product"),
    path("openapi.json", openapi, name="openapi"),
    path("docs", docs, name="docs"),
]
