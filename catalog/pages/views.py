"""The HTML pages below /catalog/: brands, products and SKUs."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from async_views.runtime.views.known_parameters import ignored_parameters
from async_views.runtime.views.negotiation import wants_page
from async_views.runtime.views.problems import bad_request, explained, problem_response
from async_views.runtime.views.read_only import read_only
from catalog.documents.collections import BRANDS, PRODUCTS, Collection, not_found
from catalog.documents.representation import Representation
from catalog.documents.row_id import is_possible_id
from catalog.pages.forms import BrandsForm, ProductsForm
from catalog.reading.reads import reads_of


@read_only("GET", "HEAD")
@never_cache
async def products(request: HttpRequest) -> HttpResponse:
    """All products, or those of the brand in the query string."""
    form = ProductsForm(request.GET)
    if problem := ignored_parameters(request, form.fields):
        return problem_response(request, problem)
    if not form.is_valid():
        return refused(request, "catalog/products.html", form)
    page = form.page(request.path)
    brand = None
    if page.brand_id is not None:
        found = await reads_of(request).brand(page.brand_id)
        brand = members(found, BRANDS, page.brand_id)
    listing = await reads_of(request).listed_products(page)
    context = {
        "form": form,
        "page": page,
        "listing": listing,
        "brand": brand,
    }
    return render(request, "catalog/products.html", context)


@read_only("GET", "HEAD")
@never_cache
async def brands(request: HttpRequest) -> HttpResponse:
    form = BrandsForm(request.GET)
    if problem := ignored_parameters(request, form.fields):
        return problem_response(request, problem)
    if not form.is_valid():
        return refused(request, "catalog/brands.html", form)
    page = form.page(request.path)
    listing = await reads_of(request).listed_brands(page)
    context = {"form": form, "page": page, "listing": listing}
    return render(request, "catalog/brands.html", context)


@read_only("GET", "HEAD")
@never_cache
async def product(request: HttpRequest, product_id: int) -> HttpResponse:
    """A product and its SKUs."""
    if problem := ignored_parameters(request, ()):
        return problem_response(request, problem)
    if not is_possible_id(product_id):
        raise not_found(PRODUCTS, product_id)
    reads = reads_of(request)
    shown = members(await reads.product(product_id), PRODUCTS, product_id)
    brand_id = shown["brand_id"]
    context = {
        "product": shown,
        "brand": members(await reads.brand(brand_id), BRANDS, brand_id),
        "skus": json.loads((await reads.skus(product_id)).body),
    }
    return render(request, "catalog/product.html", context)


def members(
    found: Representation | None, collection: Collection, row_id: int
) -> dict[str, Any]:
    """The members of a row's JSON document. Raises Problem 404 if there is no such row."""
    if found is None:
        raise not_found(collection, row_id)
    document: dict[str, Any] = json.loads(found.body)
    return document


def refused(request: HttpRequest, template: str, form: ProductsForm) -> HttpResponse:
    if not wants_page(request):
        return problem_response(request, bad_request(form))
    return explained(render(request, template, {"form": form}, status=400))
