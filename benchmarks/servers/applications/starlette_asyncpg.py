"""The catalog in Starlette and asyncpg."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.servers.applications.tables import (
    ALL_BRANDS,
    NEW_PRODUCT,
    ONE_PRODUCT,
    pool,
)


@asynccontextmanager
async def lifespan(application: Starlette) -> AsyncIterator[dict[str, Any]]:
    async with pool() as connections:
        yield {"pool": connections}


async def brands(request: Request) -> JSONResponse:
    rows = await request.state.pool.fetch(ALL_BRANDS)
    return JSONResponse([dict(row) for row in rows])


async def product(request: Request) -> JSONResponse:
    row = await request.state.pool.fetchrow(
        ONE_PRODUCT, request.path_params["product_id"]
    )
    if row is None:
        raise HTTPException(404)
    return JSONResponse(dict(row))


async def create_product(request: Request) -> Response:
    body = await request.json()
    await request.state.pool.execute(
        NEW_PRODUCT, body["product_name"], int(body["brand_id"])
    )
    return Response(status_code=201)


application = Starlette(
    routes=[
        Route("/brands", brands),
        Route("/products/{product_id:int}", product),
        Route("/product", create_product, methods=["POST"]),
    ],
    lifespan=lifespan,
)
