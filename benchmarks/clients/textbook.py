"""A probe as textbooks write it, with aiohttp.

It starts one task per request, all at once, over a session with the defaults. The session
has 100 connections, so most requests wait for one, and the wait counts as response time.
"""

import asyncio
import time

import aiohttp
import uvloop

from benchmarks.clients.run import Run, run_of


def run_textbook(url: str, requests: int) -> Run:
    """Raises aiohttp.ClientError if a request fails."""
    return uvloop.run(request_all(url, requests))


async def request_all(url: str, requests: int) -> Run:
    began = time.perf_counter()
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        times = await asyncio.gather(*(request(session, url) for _ in range(requests)))
    return run_of(times, microseconds_since(began))


async def request(session: aiohttp.ClientSession, url: str) -> int:
    started = time.perf_counter()
    async with session.get(url) as response:
        await response.text()
    return microseconds_since(started)


def microseconds_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1_000_000)
