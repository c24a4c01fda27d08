"""A timer that is started and stopped often, and rarely rings."""

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable

NEVER = float("inf")


class LazyTimer:
    """Calls `ring` once, the given number of seconds after its last start.

    uvloop makes and closes a libuv handle for each timer, which took a fifth of the CPU
    time of a request. Here stopping, and starting for a later moment, leave the loop's
    timer as it is: when that rings too early, it is set for the rest.

    It is for the thread of `loop` only. `close` ends it for good, and breaks the
    reference cycle with the owner of `ring`.
    """

    __slots__ = ("_due", "_handle", "_loop", "_ring", "_wakes_at")

    def __init__(self, loop: AbstractEventLoop, ring: Callable[[], object]) -> None:
        self._loop = loop
        self._ring = ring
        self._handle: TimerHandle | None = None
        self._wakes_at = NEVER
        self._due = NEVER

    def start(self, seconds: float) -> None:
        """Whether or not it is started already; what counts is the last start."""
        self._due = self._loop.time() + seconds
        if self._due < self._wakes_at:
            self._set()

    def stop(self) -> None:
        self._due = NEVER

    @property
    def is_started(self) -> bool:
        return self._due < NEVER

    def close(self) -> None:
        self._cancel()
        self._due = NEVER
        del self._ring

    def _set(self) -> None:
        self._cancel()
        self._wakes_at = self._due
        self._handle = self._loop.call_at(self._due, self._wake)

    def _cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._wakes_at = NEVER

    def _wake(self) -> None:
        self._handle, self._wakes_at = None, NEVER
        if self._due <= self._loop.time():
            self._due = NEVER
            self._ring()
        elif self.is_started:
            self._set()
