"""The catalog in FastAPI and asyncpg."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from benchmarks.servers.applications.tables import (
    ALL_BRANDS,
    NEW_PRODUCT,
    ONE_PRODUCT,
    pool,
)


class NewProduct(BaseModel):
    product_name: str
    brand_id: int


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncIterator[dict[str, Any]]:
    async with pool() as connections:
        yield {"pool": connections}


async def brands(request: Request) -> JSONResponse:
    rows = await request.state.pool.fetch(ALL_BRANDS)
    return JSONResponse([dict(row) for row in rows])


async def product(request: Request, product_id: int) -> JSONResponse:
    row = await request.state.pool.fetchrow(ONE_PRODUCT, product_id)
    if row is None:
        raise HTTPException(404)
    return JSONResponse(dict(row))


async def create_product(request: Request, new: NewProduct) -> Response:
    await request.state.pool.execute(NEW_PRODUCT, new.product_name, new.brand_id)
    return Response(status_code=201)


application = FastAPI(lifespan=lifespan)
application.add_api_route("/brands", brands)
application.add_api_route("/products/{product_id}", product)
application.add_api_route("/product", create_product, methods=["POST"])
