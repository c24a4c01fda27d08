"""Sends the newest number to every socket; no socket delays another.

A socket that cannot be written to now is skipped. Once it can, it gets the newest number
and none of those in between, so nothing is queued.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from async_views.runtime.asgi.types import Send
from async_views.runtime.waiting.eager import begun

logger = logging.getLogger(__name__)

MAX_FRAMES_PER_SECOND = 5  # on each socket
# After this much silence the number is sent again.
REPEAT_SECONDS = 30.0
# Takes about 3 ms; then the event loop runs other tasks.
SOCKETS_AT_ONCE = 250
# Raised by a socket that has disconnected, or that the server is closing.
GONE = (OSError, RuntimeError)


class Socket:
    """An open socket.

    It has a task only while it is blocked. The task waits until the client reads, and
    calls ``cut_off`` after ``stalled_seconds``.
    """

    __slots__ = ("send", "stalled_seconds", "cut_off", "wanted", "sent", "writing")

    def __init__(
        self, send: Send, stalled_seconds: float, cut_off: Callable[[], object]
    ) -> None:
        self.send = send
        self.stalled_seconds = stalled_seconds
        self.cut_off = cut_off
        self.wanted: int | None = None
        self.sent: int | None = None
        self.writing: asyncio.Task[None] | None = None

    def show(self, number: int, again: bool = False) -> None:
        """Sends the number if it is new or `again` is true, as soon as that is possible."""
        self.wanted = number
        if self.writing is None and (again or self.sent != number):
            self._write(number)

    async def end(self) -> None:
        """Stops writing, so that other code may write to the socket."""
        # A task cancelled before it ran does not close its coroutine; forgetting it does.
        writing, self.writing = self.writing, None
        if writing is not None:
            writing.cancel()
            await asyncio.wait([writing])

    def _write(self, number: int) -> None:
        self.sent = number
        try:
            blocked = begun(self.send({"type": "websocket.send", "text": str(number)}))
        except GONE:
            # `receive` reports the disconnection.
            return
        if blocked is not None:
            self.writing = asyncio.create_task(self._finish(blocked))

    async def _finish(self, blocked: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self.stalled_seconds):
                await blocked
        except TimeoutError:
            self.cut_off()
        except GONE:
            pass
        else:
            self.writing = None
            if self.wanted is not None and self.wanted != self.sent:
                self._write(self.wanted)


class Broadcast:
    """Sends one number to all sockets, at most once every ``interval_seconds``.

    It is sent again after ``repeat_seconds`` of silence: browsers do not expose pings, so
    a page could not tell a quiet site from a lost connection.
    """

    def __init__(self, interval_seconds: float, repeat_seconds: float) -> None:
        self.interval_seconds = interval_seconds
        self.repeat_seconds = repeat_seconds
        self.number = 0
        self.sockets: set[Socket] = set()
        self.changed = asyncio.Event()

    def add(self, socket: Socket) -> None:
        self.sockets.add(socket)
        socket.show(self.number)

    def discard(self, socket: Socket) -> None:
        self.sockets.discard(socket)

    def show(self, number: int) -> None:
        if number != self.number:
            self.number = number
            self.changed.set()

    async def keep(self) -> None:
        """Until cancelled: sends new numbers, but skips those that change at once."""
        while True:
            is_news = True
            try:
                async with asyncio.timeout(self.repeat_seconds):
                    await self.changed.wait()
            except TimeoutError:
                is_news = False
            self.changed.clear()
            await self._show_all(again=not is_news)
            await asyncio.sleep(self.interval_seconds)

    async def _show_all(self, again: bool) -> None:
        sockets = list(self.sockets)
        for first in range(0, len(sockets), SOCKETS_AT_ONCE):
            for socket in sockets[first : first + SOCKETS_AT_ONCE]:
                # It may have been closed since the round began.
                if socket in self.sockets:
                    socket.show(self.number, again)
            await asyncio.sleep(0)
