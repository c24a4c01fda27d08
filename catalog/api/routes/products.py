"""/products and below, and /product as the book has it."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from catalog.api.methods import absent, changed, created, deleted, found, page
from catalog.api.schemas import (
    BookProductIn,
    ProductChange,
    ProductIn,
    ProductOut,
    ProductsQuery,
    SkuOut,
)
from catalog.documents.collections import PRODUCTS
from catalog.documents.identity import Identity
from catalog.documents.representation import respond
from catalog.reading.reads import reads_of

router = Router(tags=["products"])


@router.get("/products", response=list[ProductOut], summary="Products, page by page")
async def list_products(
    request: HttpRequest, query: Query[ProductsQuery]
) -> HttpResponse:
    """The next page is where the Link header field says, until it names none."""
    return await page(request, query, query.brand_id)


@router.post("/products", response={201: ProductOut}, summary="Make a product")
async def create_product(request: HttpRequest, product: ProductIn) -> HttpResponse:
    return await created(request, PRODUCTS, product)


@router.post(
    "/product", response={201: None}, summary="Make a product", url_name="book_product"
)
async def create_product_as_in_the_book(
    request: HttpRequest, product: BookProductIn
) -> HttpResponse:
    """As listing 9.4 has it: JSON of any content type, and an empty answer."""
    return await created(request, PRODUCTS, product, silently=True)


@router.get("/products/{product_id}", response=ProductOut, summary="One product")
async def get_product(request: HttpRequest, product_id: Identity) -> HttpResponse:
    return await found(request, PRODUCTS, product_id)


@router.put("/products/{product_id}", response=ProductOut, summary="Replace a product")
async def replace_product(
    request: HttpRequest, product_id: Identity, product: ProductIn
) -> HttpResponse:
    return await changed(request, PRODUCTS, product_id, product)


@router.patch("/products/{product_id}", response=ProductOut, summary="Change a product")
async def change_product(
    request: HttpRequest, product_id: Identity, product: ProductChange
) -> HttpResponse:
    """What is not in the body stays as it is."""
    return await changed(request, PRODUCTS, product_id, product)


@router.delete(
    "/products/{product_id}", response={204: None}, summary="Delete a product"
)
async def delete_product(request: HttpRequest, product_id: Identity) -> HttpResponse:
    """And its SKUs."""
    return await deleted(request, PRODUCTS, product_id)


@router.get("/products/{product_id}/skus", response=list[SkuOut], summary="Its SKUs")
async def list_skus_of_product(
    request: HttpRequest, product_id: Identity
) -> HttpResponse:
    missing = await absent(request, PRODUCTS, product_id)
    return missing or respond(request, await reads_of(request).skus(product_id))
