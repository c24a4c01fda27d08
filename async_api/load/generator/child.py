"""The parent's side of a generator: starts its process, and reads what it reports."""

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from async_api.load.generator.execution import Limits
from async_api.load.generator.messages import (
    Message,
    Order,
    encode,
    order_message,
    read,
    read_result,
    read_snapshot,
)
from async_api.load.generator.snapshot import Snapshot
from async_api.load.plan.plan import Plan
from async_api.load.run import Run

MODULE = "async_api.load.generator.process"
ROOT = Path(__file__).resolve().parents[3]
SECONDS_TO_END = 2.0
# After a cancellation, which closes the sockets much earlier.
SECONDS_TO_HAND_OVER = 15.0
LINES_KEPT = 20
PIPE_BYTES = 1_048_576


class GeneratorRefused(Exception):
    """The policy refuses a target of the plan; the text is the guard's sentence."""


class GeneratorFailed(Exception):
    """The generator has no result; the text says why."""


class Generator:
    """One run in a process of its own. ``on_snapshot`` is called once a second.

    ``private`` are texts of addresses, networks and names that are allowed although they
    are not public. ``refusal`` is the sentence for a refused target, with ``{subject}``.
    """

    def __init__(
        self,
        plan: Plan,
        limits: Limits,
        *,
        private: Iterable[str],
        refusal: str,
        on_snapshot: Callable[[Snapshot], None],
    ) -> None:
        self._plan = plan
        self._order = Order(
            plan=_with_absolute_paths(plan),
            limits=limits,
            private=tuple(private),
            refusal=refusal,
        )
        self._on_snapshot = on_snapshot
        self._process: asyncio.subprocess.Process | None = None
        self._cancelled = False
        self._killing: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """The process's ID, once it has started."""
        return self._process.pid if self._process else None

    async def run(self) -> Run:
        """Raises GeneratorRefused, GeneratorFailed and WrongVersion.

        When this coroutine is cancelled or ends, the process has ended and its sockets
        are closed.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
            limit=PIPE_BYTES,
        )
        self._process = process
        assert process.stderr is not None
        lines: deque[str] = deque(maxlen=LINES_KEPT)
        complaints = asyncio.create_task(_keep_last(process.stderr, lines))
        try:
            self._tell(order_message(self._order))
            if self._cancelled:
                self._tell_to_cancel(process)
            run = await self._result(process)
            if run is None:
                await asyncio.gather(complaints, process.wait())
                raise GeneratorFailed(_death(process.returncode, lines))
            return run
        finally:
            if self._killing is not None:
                self._killing.cancel()
            await _end(process)
            complaints.cancel()

    def cancel(self) -> None:
        """Have the generator close its sockets; `run` then returns what was measured.

        To be called in the event loop of `run`. A generator that does not respond is
        killed, and `run` raises GeneratorFailed.
        """
        if not self._cancelled:
            self._cancelled = True
            if self._process is not None:
                self._tell_to_cancel(self._process)

    async def _result(self, process: asyncio.subprocess.Process) -> Run | None:
        """What the generator hands over; None if it ended without."""
        assert process.stdout is not None
        while message := await read(process.stdout):
            if message.kind == "snapshot":
                self._on_snapshot(read_snapshot(message))
            elif message.kind == "result":
                return read_result(message, self._plan)
            elif message.kind == "refused":
                raise GeneratorRefused(message.values["message"])
            elif message.kind == "error":
                raise GeneratorFailed(message.values["message"])
        return None

    def _tell_to_cancel(self, process: asyncio.subprocess.Process) -> None:
        self._tell(Message("cancel"))
        self._killing = asyncio.get_running_loop().call_later(
            SECONDS_TO_HAND_OVER, _kill, process
        )

    def _tell(self, message: Message) -> None:
        assert self._process is not None and self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(encode(message))


async def generate(
    plan: Plan,
    limits: Limits,
    *,
    private: Iterable[str],
    refusal: str,
    on_snapshot: Callable[[Snapshot], None],
) -> Run:
    """Execute a plan in a process of its own, as `Generator.run` does."""
    return await Generator(
        plan, limits, private=private, refusal=refusal, on_snapshot=on_snapshot
    ).run()


def _with_absolute_paths(plan: Plan) -> Plan:
    """The generator has another working directory."""
    if not plan.conditions.ca_file:
        return plan
    path = str(Path(plan.conditions.ca_file).absolute())
    return replace(plan, conditions=replace(plan.conditions, ca_file=path))


async def _keep_last(stream: asyncio.StreamReader, lines: "deque[str]") -> None:
    async for line in stream:
        lines.append(line.decode(errors="replace").rstrip())


async def _end(process: asyncio.subprocess.Process) -> None:
    """The end of its standard input ends the process; one that stays is killed."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(SECONDS_TO_END):
            await process.wait()
    except TimeoutError:
        _kill(process)
        await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


def _death(status: int | None, lines: Iterable[str]) -> str:
    how = (
        f"was ended by signal {-status}"
        if status is not None and status < 0
        else f"ended with status {status}"
    )
    said = "\n".join(lines)
    return f"The generator {how} and without a result." + (said and f"\n{said}")
