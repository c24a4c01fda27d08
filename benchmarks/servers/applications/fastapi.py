"""The FastAPI application."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from benchmarks.servers.applications.answers import HELLO, current_time


async def hello() -> PlainTextResponse:
    return PlainTextResponse(HELLO)


async def time() -> dict[str, int | str]:
    return current_time()


application = FastAPI()
application.add_api_route("/hello", hello)
application.add_api_route("/time", time)
