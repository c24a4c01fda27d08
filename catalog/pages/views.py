"""/catalog/ and below: brands, products and their SKUs, for people."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from async_views.runtime.views.known_parameters import ignored_parameters
from async_views.runtime.views.negotiation import wants_page
from async_views.runtime.views.problems import bad_request, explained, problem_response
from async_views.runtime.views.read_only import read_only
from catalog.documents.collections import BRANDS, PRODUCTS, Collection, missing
from catalog.documents.identity import is_possible
from catalog.documents.representation import Representation
from catalog.pages.forms import BrandsForm, ProductsForm
from catalog.reading.reads import reads_of


@read_only("GET", "HEAD")
@never_cache
async def products(request: HttpRequest) -> HttpResponse:
    """Those of one brand, where the query string names it."""
    form = ProductsForm(request.GET)
    if problem := ignored_parameters(request, form.fields):
        return problem_response(request, problem)
    if not form.is_valid():
        return refused(request, "catalog/products.html", form)
    asked = form.page(request.path)
    brand = None
    if asked.brand_id is not None:
        found = await reads_of(request).brand(asked.brand_id)
        brand = members(found, BRANDS, asked.brand_id)
    listing = await reads_of(request).listed_products(asked)
    context = {
        "form": form,
        "asked": asked,
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
    asked = form.page(request.path)
    listing = await reads_of(request).listed_brands(asked)
    context = {"form": form, "asked": asked, "listing": listing}
    return render(request, "catalog/brands.html", context)


@read_only("GET", "HEAD")
@never_cache
async def product(request: HttpRequest, product_id: int) -> HttpResponse:
    """One product, with its SKUs."""
    if problem := ignored_parameters(request, ()):
        return problem_response(request, problem)
    if not is_possible(product_id):
        raise missing(PRODUCTS, product_id)
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
    found: Representation | None, collection: Collection, identity: int
) -> dict[str, Any]:
    """What the API's document of a row says; raises Problem 404 where there is none."""
    if found is None:
        raise missing(collection, identity)
    document: dict[str, Any] = json.loads(found.body)
    return document


def refused(request: HttpRequest, template: str, form: ProductsForm) -> HttpResponse:
    if not wants_page(request):
        return problem_response(request, bad_request(form))
    return explained(render(request, template, {"form": form}, status=400))
