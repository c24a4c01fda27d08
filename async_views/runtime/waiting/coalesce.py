"""Callers that wait for the same result share one query, which starts after the last of them.

While a query runs, calls with the same arguments wait for the next query. Nothing is
cached, so nothing has to be invalidated, and at most one query with the same arguments
runs at a time.

A `Coalesced` or a `Batched` belongs to one event loop: the lifespan creates it, and
requests find it in ``scope["state"]``. Without a lifespan a request runs its own query.
There is nothing to close: it holds nothing once no query runs and no caller waits.
"""

from abc import ABC, abstractmethod
from asyncio import CancelledError, Future, Task, get_running_loop
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from contextvars import Context
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar, TypeVarTuple

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class TooManyWaiting(Exception):
    """`limit` callers are waiting already."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} callers are waiting already, the limit.")
        self.limit = limit


class Unanswered(Exception):
    """The query failed or was cancelled; `__cause__` is the reason.

    Each waiter gets an exception of its own: one that many tasks raise would have the
    traceback and the local variables of all of them.
    """

    def __init__(self, cause: BaseException) -> None:
        super().__init__(f"The query ended with {type(cause).__name__}.")
        self.__cause__ = cause


class Line(Generic[Key, Result]):
    """The waiters that share the running query, and those that wait for the next."""

    __slots__ = ("running", "task", "waiting")

    def __init__(self) -> None:
        self.running: dict[Future[Result], Key] = {}
        self.waiting: dict[Future[Result], Key] = {}
        self.task: Task[Callable[[Key], Result] | None]

    def advance(self, most: int) -> Sequence[Key]:
        """Moves waiters to the next query, at most `most` keys, first come, first served."""
        # A waiter that was cancelled just now has yet to wake up and leave.
        if all(waiter.done() for waiter in self.waiting):
            return ()
        self.running, self.waiting = self.waiting, {}
        keys = dict.fromkeys(self.running.values())
        if len(keys) > most:
            keys = dict.fromkeys(islice(keys, most))
            callers = self.running.items()
            self.waiting = {waiter: key for waiter, key in callers if key not in keys}
            self.running = {waiter: key for waiter, key in callers if key in keys}
        return list(keys)

    def leave(self, waiter: Future[Result]) -> None:
        """Removes a waiter, and cancels the query if it was the last one."""
        self.waiting.pop(waiter, None)
        if waiter in self.running:
            del self.running[waiter]
            if not self.running:
                self.task.cancel()


class SharedQueries(ABC, Generic[Key, Result]):
    """What `Coalesced` and `Batched` guarantee.

    - A result comes from a query that began after the call.
    - Each line runs one query at a time. The next begins as soon as it has ended, or at
      once if none is running.
    - A waiter that leaves does not affect the others. When the last waiter for a query
      leaves, the query is cancelled, so that its connection is released. No query begins
      without a waiter.
    - A query that fails, or is cancelled by something else, raises `Unanswered` in those
      that wait for it, and not in those that came later.
    - A query runs in an empty context: it sees no request's context variables.
    - At most `max_waiting` callers wait, in all lines together; one more raises
      `TooManyWaiting`. A line is discarded when its last query ends.

    `fetch` has to bound how long a query takes.
    """

    def __init__(self, max_keys: int, max_waiting: int) -> None:
        self._max_keys = max_keys
        self._max_waiting = max_waiting
        self._waiting = 0
        self._lines: dict[Hashable, Line[Key, Result]] = {}

    @abstractmethod
    async def _fetch(self, keys: Sequence[Key]) -> Callable[[Key], Result]:
        """Runs one query for all keys; returns a function from a key to its result."""

    async def _result(self, name: Hashable, key: Key) -> Result:
        # Each waiter has its own future, because cancelling a task cancels the future it
        # waits for. asyncio.shield would prevent that too, for 1 µs more a call.
        line = self._lines.get(name)
        # A query that was cancelled and has not ended yet is a line too.
        if self._waiting >= self._max_waiting or (
            line is None and len(self._lines) >= self._max_waiting
        ):
            raise TooManyWaiting(self._max_waiting)
        waiter: Future[Result] = get_running_loop().create_future()
        if line is None:
            line = self._lines[name] = Line()
            self._begin(name, line)
        line.waiting[waiter] = key
        self._waiting += 1
        try:
            return await waiter
        except BaseException:
            line.leave(waiter)
            raise
        finally:
            self._waiting -= 1

    def _begin(self, name: Hashable, line: Line[Key, Result]) -> None:
        context = Context()
        line.task = get_running_loop().create_task(self._run(line), context=context)
        # Not at the end of _run: a task cancelled before its first step never runs it.
        line.task.add_done_callback(partial(self._end, name, line), context=context)

    async def _run(self, line: Line[Key, Result]) -> Callable[[Key], Result] | None:
        # Only now, so that the query includes callers that came before this task ran.
        keys = line.advance(self._max_keys)
        return await self._fetch(keys) if keys else None

    def _end(
        self,
        name: Hashable,
        line: Line[Key, Result],
        task: Task[Callable[[Key], Result] | None],
    ) -> None:
        running, line.running = line.running, {}
        error = CancelledError() if task.cancelled() else task.exception()
        result_of = task.result() if error is None else None
        for waiter, key in running.items():
            if waiter.done():
                continue
            if result_of is not None:
                waiter.set_result(result_of(key))
            elif error is not None:
                waiter.set_exception(Unanswered(error))
        if line.waiting:
            self._begin(name, line)
        else:
            del self._lines[name]


class Coalesced(SharedQueries[tuple[*Arguments], Result], Generic[*Arguments, Result]):
    """Runs one query for all callers with the same arguments.

    `await coalesced(3, 20)` returns the result of `fetch(3, 20)`. All waiters get the same
    object, so it should be immutable.
    """

    def __init__(
        self, fetch: Callable[[*Arguments], Awaitable[Result]], *, max_waiting: int
    ) -> None:
        super().__init__(1, max_waiting)
        self._fetch_one = fetch

    def __call__(self, *arguments: *Arguments) -> Coroutine[Any, Any, Result]:
        return self._result(arguments, arguments)

    async def _fetch(
        self, keys: Sequence[tuple[*Arguments]]
    ) -> Callable[[tuple[*Arguments]], Result]:
        result = await self._fetch_one(*keys[0])
        return lambda arguments: result


class Batched(SharedQueries[Key, Result | None], Generic[Key, Result]):
    """Runs one query for all keys that wait together, at most `max_keys` at a time.

    `fetch([7, ...])` returns a mapping, and `await batched(7)` its value for 7, or None. The
    keys of a query are distinct.
    """

    def __init__(
        self,
        fetch: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Result]]],
        *,
        max_keys: int,
        max_waiting: int,
    ) -> None:
        super().__init__(max_keys, max_waiting)
        self._fetch_many = fetch

    def __call__(self, key: Key) -> Coroutine[Any, Any, Result | None]:
        return self._result(None, key)

    async def _fetch(self, keys: Sequence[Key]) -> Callable[[Key], Result | None]:
        return (await self._fetch_many(keys)).get
