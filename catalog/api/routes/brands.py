"""/brands and below."""

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from catalog.api.methods import absent, changed, created, deleted, found, page
from catalog.api.schemas import BrandChange, BrandIn, BrandOut, PageQuery, ProductOut
from catalog.documents.collections import BRANDS
from catalog.documents.identity import Identity
from catalog.documents.representation import respond
from catalog.reading.reads import reads_of

router = Router(tags=["brands"])


@router.get("/brands", response=list[BrandOut], summary="All brands")
async def list_brands(request: HttpRequest) -> HttpResponse:
    """The bare array of all brands, by number."""
    return respond(request, await reads_of(request).all_brands())


@router.post("/brands", response={201: BrandOut}, summary="Make a brand")
async def create_brand(request: HttpRequest, brand: BrandIn) -> HttpResponse:
    return await created(request, BRANDS, brand)


@router.get("/brands/{brand_id}", response=BrandOut, summary="One brand")
async def get_brand(request: HttpRequest, brand_id: Identity) -> HttpResponse:
    return await found(request, BRANDS, brand_id)


@router.put("/brands/{brand_id}", response=BrandOut, summary="Replace a brand")
async def replace_brand(
    request: HttpRequest, brand_id: Identity, brand: BrandIn
) -> HttpResponse:
    return await changed(request, BRANDS, brand_id, brand)


@router.patch("/brands/{brand_id}", response=BrandOut, summary="Change a brand")
async def change_brand(
    request: HttpRequest, brand_id: Identity, brand: BrandChange
) -> HttpResponse:
    """What is not in the body stays as it is."""
    return await changed(request, BRANDS, brand_id, brand)


@router.delete("/brands/{brand_id}", response={204: None}, summary="Delete a brand")
async def delete_brand(request: HttpRequest, brand_id: Identity) -> HttpResponse:
    """Of which no product is left."""
    return await deleted(request, BRANDS, brand_id)


@router.get(
    "/brands/{brand_id}/products", response=list[ProductOut], summary="Its products"
)
async def list_products_of_brand(
    request: HttpRequest, brand_id: Identity, query: Query[PageQuery]
) -> HttpResponse:
    """As /products with that brand_id, but 404 where there is no such brand."""
    missing = await absent(request, BRANDS, brand_id)
    return missing or await page(request, query, brand_id)
