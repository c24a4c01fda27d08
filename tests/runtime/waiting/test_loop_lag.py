"""The lag of an event loop is measured, also when it blocks until the end."""

import asyncio
import time

import pytest

from async_views.runtime.waiting.loop_lag import LoopLag

BLOCKED_SECONDS = 0.15

either_loop = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])


@either_loop
async def test_the_lag_of_a_blocked_loop_is_the_time_it_was_blocked() -> None:
    with LoopLag() as lag:
        await asyncio.sleep(0.03)
        began = time.perf_counter()
        time.sleep(BLOCKED_SECONDS)
        ended = time.perf_counter()
        await asyncio.sleep(0.03)

    due, called = max(lag.stalls, key=lambda stall: stall[1] - stall[0])
    assert called - due == lag.worst
    # The call was due at most an interval after the loop was blocked.
    assert BLOCKED_SECONDS - 0.02 < lag.worst
    assert began < called
    assert due < ended <= called


@either_loop
async def test_a_loop_that_is_blocked_until_the_end_is_measured() -> None:
    with LoopLag() as lag:
        await asyncio.sleep(0)
        time.sleep(BLOCKED_SECONDS)

    [(due, called)] = lag.stalls
    assert called - due == lag.worst > BLOCKED_SECONDS - 0.02


@either_loop
async def test_after_the_block_nothing_is_measured() -> None:
    with LoopLag() as lag:
        await asyncio.sleep(0)
    worst, stalls = lag.worst, list(lag.stalls)

    time.sleep(BLOCKED_SECONDS)
    await asyncio.sleep(0.03)

    assert (lag.worst, lag.stalls) == (worst, stalls)
