"""Clients of /counter that remember the newest number they received."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.site import PATIENCE

SECONDS_TO_WAIT = 60


class Listener:
    """A socket, with each number it received and the code with which it was closed."""

    def __init__(self, socket: ClientConnection, crowd: "Crowd") -> None:
        self.socket = socket
        self.crowd = crowd
        self.numbers: list[int] = []
        self.code: int | None = None
        self.reading = asyncio.create_task(self.read())

    @property
    def port(self) -> int:
        """The client's port, which identifies the worker that serves the socket."""
        return int(self.socket.local_address[1])

    async def read(self) -> None:
        try:
            while True:
                self.numbers.append(int(await self.socket.recv()))
                await self.crowd.notify()
        except ConnectionClosed:
            self.code = self.socket.close_code
            await self.crowd.notify()

    async def leave(self) -> None:
        await self.socket.close()
        await self.reading


class Crowd:
    """All listeners of one site."""

    def __init__(self, url: str, **options: Any) -> None:
        self.url = url.replace("http", "ws", 1) + "/counter"
        self.options = options
        self.listeners: list[Listener] = []
        self.changed = asyncio.Condition()

    async def notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def join(self, count: int = 1, **options: Any) -> list[Listener]:
        joined = []
        for _ in range(count):
            socket = await connect(self.url, **self.options | options)
            joined.append(Listener(socket, self))
        self.listeners += joined
        return joined

    async def leave(self, listeners: list[Listener]) -> None:
        for listener in listeners:
            self.listeners.remove(listener)
            await listener.leave()

    async def lose(self, listeners: list[Listener]) -> None:
        """Drops the connections without a close frame, as a failing network does."""
        for listener in listeners:
            self.listeners.remove(listener)
            listener.socket.transport.abort()
            await listener.reading

    async def until(self, condition: Callable[[], bool], seconds: float) -> float:
        """Waits for a condition that is promised in so many seconds.

        Returns how long it took; raises TimeoutError after PATIENCE times as long.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(seconds * PATIENCE), self.changed:
                await self.changed.wait_for(condition)
        except TimeoutError:
            raise TimeoutError(f"Last numbers: {self.heard()}") from None
        return loop.time() - began

    async def agree(
        self,
        number: int,
        seconds: float = SECONDS_TO_WAIT,
        among: list[Listener] | None = None,
    ) -> float:
        """Waits until this is the last number that each connected listener received."""
        return await self.until(lambda: self.heard(among) == {number}, seconds)

    def heard(self, among: list[Listener] | None = None) -> set[int | None]:
        return {
            listener.numbers[-1] if listener.numbers else None
            for listener in (self.listeners if among is None else among)
            if listener.code is None
        }


@asynccontextmanager
async def crowd(url: str, **options: Any) -> AsyncIterator[Crowd]:
    """An empty crowd, whose listeners all leave at the end."""
    everybody = Crowd(url, **options)
    try:
        yield everybody
    finally:
        await asyncio.gather(*(each.leave() for each in everybody.listeners))
