"""The operations of /products and the paths below it, and of the book's /product."""

from django.http import HttpRequest, HttpResponse

from catalog.api.dispatcher import path_view
from catalog.api.operation import Operation
from catalog.api.responses import find, page_response, row_response
from catalog.api.schemas import (
    BookProductIn,
    ProductChange,
    ProductIn,
    ProductOut,
    ProductsQuery,
    SkuOut,
)
from catalog.documents.collections import PRODUCTS
from catalog.documents.representation import respond
from catalog.reading.reads import reads_of
from catalog.writing.writes import create, delete, update


async def list_products(request: HttpRequest, query: ProductsQuery) -> HttpResponse:
    """The Link header has the URL of the next page, except on the last page."""
    return await page_response(request, query, query.brand_id)


async def create_product(request: HttpRequest, body: ProductIn) -> HttpResponse:
    return await create(request, PRODUCTS, body.columns())


async def create_product_as_in_the_book(
    request: HttpRequest, body: BookProductIn
) -> HttpResponse:
    """As in listing 9.4: JSON of any content type, and an empty response."""
    return await create(request, PRODUCTS, body.columns(), empty=True)


async def get_product(request: HttpRequest, product_id: int) -> HttpResponse:
    return await row_response(request, PRODUCTS, product_id)


async def replace_product(
    request: HttpRequest, product_id: int, body: ProductIn
) -> HttpResponse:
    return await update(request, PRODUCTS, product_id, body.columns())


async def change_product(
    request: HttpRequest, product_id: int, body: ProductChange
) -> HttpResponse:
    """Members that are not in the body keep their values."""
    return await update(request, PRODUCTS, product_id, body.columns())


async def delete_product(request: HttpRequest, product_id: int) -> HttpResponse:
    """Its SKUs are deleted too."""
    return await delete(request, PRODUCTS, product_id)


async def list_skus_of_product(request: HttpRequest, product_id: int) -> HttpResponse:
    await find(request, PRODUCTS, product_id)
    return respond(request, await reads_of(request).skus(product_id))


products = path_view(
    PRODUCTS,
    GET=Operation(
        list_products,
        "List products, page by page",
        list[ProductOut],
        query=ProductsQuery,
    ),
    POST=Operation(create_product, "Create a product", ProductOut, 201, body=ProductIn),
)
product = path_view(
    PRODUCTS,
    GET=Operation(get_product, "Get a product", ProductOut),
    PUT=Operation(replace_product, "Replace a product", ProductOut, body=ProductIn),
    PATCH=Operation(change_product, "Change a product", ProductOut, body=ProductChange),
    DELETE=Operation(delete_product, "Delete a product", status=204),
)
skus_of_product = path_view(
    PRODUCTS,
    GET=Operation(list_skus_of_product, "List a product's SKUs", list[SkuOut]),
)
book_product = path_view(
    PRODUCTS,
    POST=Operation(
        create_product_as_in_the_book,
        "Create a product",
        status=201,
        body=BookProductIn,
        any_content_type=True,
    ),
)
