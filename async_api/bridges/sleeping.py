"""What does asyncio.gather make of blocking calls behind sync_to_async?"""

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async

# As many threads as the event loop's default pool, which they would otherwise fill: the
# rest of the site uses that one.
THREADS = ThreadPoolExecutor(min(32, (os.cpu_count() or 1) + 4), "bridge")


async def seconds_to_sleep(
    sleep_seconds: float, calls: int, thread_sensitive: bool
) -> float:
    """Awaits `calls` blocking sleeps together; answers how many seconds that took.

    Thread-sensitive calls of one request share one thread, and so take turns; others run
    on a pool of threads. Cancelling it ends them all.
    """
    # Blocks its thread as time.sleep does, but can be woken: nothing else ends a thread.
    over = threading.Event()
    sleep = sync_to_async(
        over.wait,
        thread_sensitive=thread_sensitive,
        executor=None if thread_sensitive else THREADS,
    )
    began = time.perf_counter()
    try:
        await asyncio.gather(*(sleep(sleep_seconds) for _ in range(calls)))
    finally:
        over.set()
    return time.perf_counter() - began
