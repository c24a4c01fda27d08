"""Measures the CPU time of each layer of a request. Run by `make bench-layers`.

It calls the site without a server, each time with one layer less. The difference is what
that layer costs.
"""

import asyncio
import gc
import io
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

import uvloop
from django.core.handlers.asgi import ASGIRequest
from django.test import override_settings
from django.urls import resolve

from async_views.runtime.asgi.types import Application, Message, Receive, Scope, Send
from benchmarks.clients.run import spread
from benchmarks.options import rounds_parser
from benchmarks.results.comparison import markdown_rows
from benchmarks.results.document import with_block
from benchmarks.results.report import aligned, in_words
from benchmarks.servers.processes import TooFewCores, take_one_core
from benchmarks.servers.server import CHECKOUT, production

DOCUMENT = CHECKOUT / "docs" / "benchmark.md"
REQUESTS = 2000  # of each application in one round


@dataclass(frozen=True, slots=True)
class Layer:
    """An application, named for the outermost layer that it adds to the next one."""

    name: str
    application: Application


def main() -> int:
    """Returns exit status 0 if the measurement completed, and 2 if it could not run."""
    parser = rounds_parser("benchmarks.layers", __doc__)
    parser.add_argument(
        "--write", action="store_true", help=f"replace the table in {DOCUMENT.name}"
    )
    options = parser.parse_args()
    try:
        take_one_core()
    except TooFewCores as error:
        print(error, file=sys.stderr)
        return 2
    table = table_of(costs(tuple(layers()), options.rounds))
    print("\n".join(aligned(table)))
    if options.write:
        block = "\n".join(markdown_rows(table))
        DOCUMENT.write_text(with_block(DOCUMENT.read_text(), "layers", block))
    return 0


def layers() -> Iterator[Layer]:
    """From the whole site down to Django's request and response alone."""
    os.environ |= production(port=8000, directory="/nowhere") | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.servers.applications.site_settings"
    }
    asgi = import_module("async_views.asgi")
    handler = import_module("async_views.runtime.handler.asgi_handler").Handler
    settings = import_module("django.conf").settings
    yield Layer("access log, body limit, static files", asgi.application)
    for last in range(len(settings.MIDDLEWARE), -1, -1):
        name = (
            settings.MIDDLEWARE[last - 1].rpartition(".")[2]
            if last
            else "handler: context, signals, body, closing"
        )
        with override_settings(MIDDLEWARE=settings.MIDDLEWARE[:last]):
            yield Layer(name, handler())
    yield Layer("request, resolver, view, response", answer_barely)


async def answer_barely(scope: Scope, receive: Receive, send: Send) -> None:
    """The part that every Django site needs."""
    request = ASGIRequest(scope, io.BytesIO())
    match = resolve(request.path_info)
    response = await match.func(request, *match.args, **match.kwargs)
    headers = [
        (name.encode("ascii"), value.encode("latin1"))
        for name, value in response.items()
    ]
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": headers,
        }
    )
    await send({"type": "http.response.body", "body": response.content})


def costs(layers: Sequence[Layer], rounds: int) -> dict[str, list[float]]:
    """The CPU µs per request that each layer adds, one number per round."""
    gc.collect()
    gc.freeze()  # as in a worker
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for layer in layers:
            runner.run(cpu_microseconds(layer.application))
        turns = [
            [runner.run(cpu_microseconds(layer.application)) for layer in layers]
            for _ in range(rounds)
        ]
    added: dict[str, list[float]] = {"total": [turn[0] for turn in turns]}
    for number, layer in enumerate(layers):
        added[layer.name] = [
            turn[number] - (turn[number + 1] if number + 1 < len(layers) else 0)
            for turn in turns
        ]
    return added


async def cpu_microseconds(application: Application) -> float:
    before = time.process_time()
    for _ in range(REQUESTS):
        await application(hello_request(), receive_no_body, ignore)
    return (time.process_time() - before) * 1_000_000 / REQUESTS


def hello_request() -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": "/hello",
        "raw_path": b"/hello",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8000")],
        "state": {},
    }


async def receive_no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def ignore(message: Message) -> None:
    pass


def table_of(costs: dict[str, list[float]]) -> tuple[tuple[str, ...], ...]:
    return (
        ("", "CPU µs"),
        *(
            (name, in_words(spread(microseconds), "{:.1f}".format))
            for name, microseconds in costs.items()
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
