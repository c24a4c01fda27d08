"""How does every socket get the newest number, whatever the others do?

A socket that cannot be written now is passed over. It gets the newest number once it can,
and none of those between: so nothing is queued, and no reader delays another.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from async_views.runtime.asgi.types import Send
from async_views.runtime.waiting.eager import begun

logger = logging.getLogger(__name__)

MAX_FRAMES_PER_SECOND = 5  # on each socket
# After so much silence the number is sent again.
REPEAT_SECONDS = 30.0
# Some 3 ms of writing, after which the event loop has its turn.
SOCKETS_AT_ONCE = 250
# What a socket raises that has left, or that the server is closing by itself.
GONE = (OSError, RuntimeError)


class Socket:
    """A client that listens.

    No task belongs to it but where it is blocked: then one waits until the client takes
    what was written, and calls ``cut_off`` where it has not after so many seconds.
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
        """Sends the number if it is news, or once more: now, or as soon as that can be."""
        self.wanted = number
        if self.writing is None and (again or self.sent != number):
            self._write(number)

    async def end(self) -> None:
        """Writes no more: from now on, another may."""
        # Not kept: a task that is cancelled before it has run leaves what it was to
        # finish to whoever forgets it.
        writing, self.writing = self.writing, None
        if writing is not None:
            writing.cancel()
            await asyncio.wait([writing])

    def _write(self, number: int) -> None:
        self.sent = number
        try:
            blocked = begun(self.send({"type": "websocket.send", "text": str(number)}))
        except GONE:
            # Whoever receives from it hears so.
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
    """Shows one number to all sockets, so many seconds after the last time at the least.

    It is shown again where nothing was sent for ``repeat_seconds``: a browser hears no
    pings, and could not tell a silent site from one that it lost.
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
        """Until cancelled: shows each number, but not all that are followed at once."""
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
                # It may have left since the round began, and been closed.
                if socket in self.sockets:
                    socket.show(self.number, again)
            await asyncio.sleep(0)
