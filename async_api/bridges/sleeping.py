"""What does asyncio.gather make of blocking calls behind sync_to_async?"""

import asyncio
import time

from asgiref.sync import sync_to_async


async def seconds_to_sleep(
    sleep_seconds: float, calls: int, thread_sensitive: bool
) -> float:
    """Awaits `calls` blocking sleeps together; answers how many seconds that took.

    Thread-sensitive calls of one request share one thread, and so take turns; others go
    to the event loop's own pool of threads.
    """
    sleep = sync_to_async(time.sleep, thread_sensitive=thread_sensitive)
    began = time.perf_counter()
    await asyncio.gather(*(sleep(sleep_seconds) for _ in range(calls)))
    return time.perf_counter() - began
