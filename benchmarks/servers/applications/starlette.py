"""The Starlette application."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from benchmarks.servers.applications.answers import HELLO, current_time


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse(HELLO)


async def time(request: Request) -> JSONResponse:
    return JSONResponse(current_time())


application = Starlette(routes=[Route("/hello", hello), Route("/time", time)])
