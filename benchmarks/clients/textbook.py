"""How fast is a probe as textbooks write it, and what does it take for response time?

One task a request, all at once, over a session with its defaults: 100 connections, so
that most requests wait for one, and the clock of each runs while it waits.
"""

import asyncio
import time

import aiohttp
import uvloop

from benchmarks.clients.run import Run, run_of


def run_textbook(url: str, requests: int) -> Run:
    """Raises aiohttp.ClientError when a request fails."""
    return uvloop.run(ask_all(url, requests))


async def ask_all(url: str, requests: int) -> Run:
    began = time.perf_counter()
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        times = await asyncio.gather(*(ask(session, url) for _ in range(requests)))
    return run_of(times, microseconds_since(began))


async def ask(session: aiohttp.ClientSession, url: str) -> int:
    started = time.perf_counter()
    async with session.get(url) as response:
        await response.text()
    return microseconds_since(started)


def microseconds_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1_000_000)
