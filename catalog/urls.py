"""The URLs of the catalog: its API, the API's description, and the pages for people."""

from django.urls import path

from catalog.api import brands, products
from catalog.api.openapi import docs, openapi
from catalog.pages import views

# The OpenAPI document keeps this order. A path comes after those below it, so that a user
# who tries each in turn lists a product's SKUs before deleting it.
api = [
    path("product", products.book_product, name="book_product"),
    path("products", products.products, name="list_products"),
    path(
        "products/<product_id>/skus",
        products.skus_of_product,
        name="list_skus_of_product",
    ),
    path("products/<product_id>", products.product, name="get_product"),
    path("brands", brands.brands, name="list_brands"),
    path(
        "brands/<brand_id>/products",
        brands.products_of_brand,
        name="list_products_of_brand",
    ),
    path("brands/<brand_id>", brands.brand, name="get_brand"),
]

urlpatterns = [
    *api,
    path("openapi.json", openapi(api), name="openapi"),
    path("docs", docs, name="docs"),
    path("catalog/", views.products, name="catalog"),
    path("catalog/brands/", views.brands, name="catalog_brands"),
    path("catalog/products/<int:product_id>/", views.product, name="catalog_product"),
]
