"""The aiohttp application, with aiohttp's own server on the port given as argument."""

import sys

import uvloop
from aiohttp import web

from benchmarks.servers.applications.answers import HELLO, current_time


async def hello(request: web.Request) -> web.Response:
    return web.Response(text=HELLO)


async def time(request: web.Request) -> web.Response:
    return web.json_response(current_time())


def main(port: int) -> None:
    application = web.Application()
    application.add_routes([web.get("/hello", hello), web.get("/time", time)])
    loop = uvloop.new_event_loop()
    web.run_app(application, host="127.0.0.1", port=port, access_log=None, loop=loop)


if __name__ == "__main__":
    main(int(sys.argv[1]))
