"""The operations of /brands and the paths below it."""

from django.http import HttpRequest, HttpResponse

from catalog.api.dispatcher import path_view
from catalog.api.operation import Operation
from catalog.api.responses import find, page_response, row_response
from catalog.api.schemas import BrandChange, BrandIn, BrandOut, PageQuery, ProductOut
from catalog.documents.collections import BRANDS
from catalog.documents.representation import respond
from catalog.reading.reads import reads_of
from catalog.writing.writes import create, delete, update


async def list_brands(request: HttpRequest) -> HttpResponse:
    """An array of all brands, sorted by ID."""
    return respond(request, await reads_of(request).all_brands())


async def create_brand(request: HttpRequest, body: BrandIn) -> HttpResponse:
    return await create(request, BRANDS, body.columns())


async def get_brand(request: HttpRequest, brand_id: int) -> HttpResponse:
    return await row_response(request, BRANDS, brand_id)


async def replace_brand(
    request: HttpRequest, brand_id: int, body: BrandIn
) -> HttpResponse:
    return await update(request, BRANDS, brand_id, body.columns())


async def change_brand(
    request: HttpRequest, brand_id: int, body: BrandChange
) -> HttpResponse:
    """Members that are not in the body keep their values."""
    return await update(request, BRANDS, brand_id, body.columns())


async def delete_brand(request: HttpRequest, brand_id: int) -> HttpResponse:
    """A brand that still has products is not deleted."""
    return await delete(request, BRANDS, brand_id)


async def list_products_of_brand(
    request: HttpRequest, brand_id: int, query: PageQuery
) -> HttpResponse:
    """Like /products with that brand_id, but 404 if the brand does not exist."""
    await find(request, BRANDS, brand_id)
    return await page_response(request, query, brand_id)


brands = path_view(
    BRANDS,
    GET=Operation(list_brands, "List all brands", list[BrandOut]),
    POST=Operation(create_brand, "Create a brand", BrandOut, 201, body=BrandIn),
)
brand = path_view(
    BRANDS,
    GET=Operation(get_brand, "Get a brand", BrandOut),
    PUT=Operation(replace_brand, "Replace a brand", BrandOut, body=BrandIn),
    PATCH=Operation(change_brand, "Change a brand", BrandOut, body=BrandChange),
    DELETE=Operation(delete_brand, "Delete a brand", status=204),
)
products_of_brand = path_view(
    BRANDS,
    GET=Operation(
        list_products_of_brand,
        "List a brand's products",
        list[ProductOut],
        query=PageQuery,
    ),
)
