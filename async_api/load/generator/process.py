"""The generator's process: `python -m async_api.load.generator.process`.

It reads an order and, later, a cancellation from its standard input, and writes messages
to its standard output. The end of its standard input means that its parent is gone; it
then closes its sockets and ends. It never imports Django.
"""

import asyncio
import contextlib
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

import uvloop

from async_api.load.generator.execution import Execution
from async_api.load.generator.messages import (
    Message,
    Order,
    WrongVersion,
    parts,
    read,
    read_order,
    result_message,
    snapshot_message,
)
from async_api.load.generator.resolver import SystemResolver
from async_api.load.generator.snapshot import Snapshot
from async_api.outbound.guard import Guard, TargetRefused
from async_api.outbound.private_targets import parse_private_targets

SECONDS_TO_HAND_OVER = 60.0
# A parent that reads slowly misses snapshots instead of filling this process's memory.
MAX_UNREAD_BYTES = 1_000_000


class Pipes(asyncio.BaseProtocol):
    """Messages through standard input and standard output."""

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.reader = asyncio.StreamReader()
        self._closed = loop.create_future()
        await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self.reader), sys.stdin.buffer
        )
        # Of a descriptor of its own, so that nothing printed gets between messages.
        output = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        self._output, _ = await loop.connect_write_pipe(lambda: self, output)

    def connection_lost(self, error: Exception | None) -> None:
        self._closed.set_result(None)

    def write(self, message: Message) -> None:
        for part in parts(message):
            self._output.write(part)

    def write_snapshot(self, snapshot: Snapshot) -> None:
        if self._output.get_write_buffer_size() < MAX_UNREAD_BYTES:
            self.write(snapshot_message(snapshot))

    async def close(self) -> None:
        """Write what is left, unless nobody reads it."""
        self._output.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_TO_HAND_OVER):
                await self._closed


def raise_descriptor_limit() -> None:
    """Each connection needs a descriptor; the soft limit is often as low as 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems refuse to make it unlimited.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def main() -> None:
    pipes = Pipes()
    await pipes.open()
    try:
        await serve(pipes)
    except WrongVersion as error:
        pipes.write(Message("error", {"message": str(error)}))
    finally:
        await pipes.close()


async def serve(pipes: Pipes) -> None:
    """Execute the one order that comes, unless the parent is gone before."""
    message = await read(pipes.reader)
    if message is None or message.kind != "order":
        return
    order = read_order(message)
    control = Control()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, control.cancel)
    listening = asyncio.create_task(control.listen(pipes.reader))
    try:
        execution = await prepared(order, pipes.write_snapshot)
    except TargetRefused as refusal:
        pipes.write(Message("refused", {"message": str(refusal)}))
        return
    except OSError as error:
        # Only the certificates' file is read here.
        pipes.write(
            Message(
                "error",
                {
                    "message": f"{order.plan.conditions.ca_file!r} cannot be read as "
                    f"certificates: {error}. Give a PEM file."
                },
            )
        )
        return
    control.attach(execution)
    pipes.write(Message("ready"))
    run = await execution.run()
    listening.cancel()
    if control.broken:
        pipes.write(Message("error", {"message": control.broken[0]}))
    elif not control.parent_gone:
        pipes.write(result_message(run))


async def prepared(order: Order, on_snapshot: Callable[[Snapshot], None]) -> Execution:
    """Raises TargetRefused, and OSError for the certificates' file."""
    guard = Guard(parse_private_targets(order.private), SystemResolver(), order.refusal)
    for target in {request.target for request in order.plan.requests}:
        await guard.admit(target)
    return Execution(order.plan, guard, order.limits, on_snapshot)


class Control:
    """Ends the execution when the parent says so, is gone, or this program has failed."""

    def __init__(self) -> None:
        self.parent_gone = False
        self.broken: list[str] = []  # sentences on errors of this program
        self._cancelled = False
        self._execution: Execution | None = None

    def attach(self, execution: Execution) -> None:
        self._execution = execution
        asyncio.get_running_loop().set_exception_handler(self._broke)
        if self._cancelled:
            execution.cancel()

    def cancel(self) -> None:
        self._cancelled = True
        if self._execution is not None:
            self._execution.cancel()

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Any further message is a cancellation, as is the end of the pipe."""
        if await read(reader) is None:
            self.parent_gone = True
            if self._execution is None:
                # Lookups can take long, and leaving normally would wait for them.
                os._exit(1)
        self.cancel()
        if not self.parent_gone:
            # What is handed over is of no use to a parent that is gone meanwhile.
            await reader.read()
            os._exit(1)

    def _broke(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            traceback.print_exception(error)
        self.broken.append(f"{context['message']}: {error!r}")
        self.cancel()


if __name__ == "__main__":
    # The terminal sends it to the parent as well, which decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_descriptor_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
        # Everything is written and closed. Taking an interpreter down takes longer than
        # closing all sockets, and its parent waits for it.
        sys.stderr.flush()
        os._exit(0)
