"""How do requests that wait for the same answer share one that is not older than any of them?

While a question is being asked, whoever comes with the same question waits for the next
asking, which begins after the last of them came. Nothing is cached, so nothing has to be
invalidated, and of each question one asking at a time is under way.

A `Coalesced` or a `Batched` belongs to one event loop: the lifespan makes it, and requests
find it in ``scope["state"]``. Where there is no lifespan a request asks for itself. There
is nothing to close: it holds nothing once nobody asks or waits.
"""

from abc import ABC, abstractmethod
from asyncio import CancelledError, Future, Task, get_running_loop
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from contextvars import Context
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar, TypeVarTuple

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")
Question = TypeVarTuple("Question")


class TooManyWaiting(Exception):
    """As many wait as may: `most`. Said at once, instead of letting one more wait."""

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} wait for an answer already, which is the most.")
        self.most = most


class Unanswered(Exception):
    """The asking failed, or something cancelled it: `__cause__` says how.

    Each waiter gets one of its own. Raised by many tasks, one and the same exception
    would show each of them where another one was, and its local variables.
    """

    def __init__(self, cause: BaseException) -> None:
        super().__init__(f"The asking ended with {type(cause).__name__}.")
        self.__cause__ = cause


class Line(Generic[Key, Answer]):
    """Who shares the asking under way, and who waits for the one after it."""

    __slots__ = ("asked", "task", "waiting")

    def __init__(self) -> None:
        self.asked: dict[Future[Answer], Key] = {}
        self.waiting: dict[Future[Answer], Key] = {}
        self.task: Task[Callable[[Key], Answer] | None]

    def advance(self, most: int) -> Sequence[Key]:
        """Those who waited are asked for, up to `most` keys, first come, first served."""
        # Who was cancelled just now has still to wake up and leave.
        if all(waiter.done() for waiter in self.waiting):
            return ()
        self.asked, self.waiting = self.waiting, {}
        keys = dict.fromkeys(self.asked.values())
        if len(keys) > most:
            keys = dict.fromkeys(islice(keys, most))
            everybody = self.asked.items()
            self.waiting = {waiter: key for waiter, key in everybody if key not in keys}
            self.asked = {waiter: key for waiter, key in everybody if key in keys}
        return list(keys)

    def leave(self, waiter: Future[Answer]) -> None:
        """Disturbs nobody; but what nobody waits for any more is not asked to its end."""
        self.waiting.pop(waiter, None)
        if waiter in self.asked:
            del self.asked[waiter]
            if not self.asked:
                self.task.cancel()


class Askings(ABC, Generic[Key, Answer]):
    """What both ways of asking promise.

    - An answer is that of an asking which began after the call.
    - In each line one asking at a time is under way. The next begins when it has ended,
      without delay; where none is under way, at once.
    - A waiter that leaves disturbs no other. When the last waiter for an asking leaves,
      the asking is cancelled, so that its connection goes back. None begins for nobody.
    - An asking that fails, or is cancelled by something else, raises `Unanswered` for
      those who wait for it, and for nobody who came later.
    - An asking sees the context variables of no request: its context is empty.
    - At most `most_waiting` wait, in all lines together; for one more it raises
      `TooManyWaiting`. What is kept about a line is gone when its last asking ends.

    How long an asking may take is for `ask` to bound.
    """

    def __init__(self, most_keys: int, most_waiting: int) -> None:
        self._most_keys = most_keys
        self._most_waiting = most_waiting
        self._waiting = 0
        self._lines: dict[Hashable, Line[Key, Answer]] = {}

    @abstractmethod
    async def _ask(self, keys: Sequence[Key]) -> Callable[[Key], Answer]:
        """Asks once for all keys; what it returns tells the answer to each."""

    async def _answer(self, name: Hashable, key: Key) -> Answer:
        # Each waiter has a future of its own, as cancelling a task cancels what it waits
        # for. asyncio.shield would keep one from that too, for 1 µs more a call.
        line = self._lines.get(name)
        # An asking that was cancelled, and takes its time to end, is a line as well.
        if self._waiting >= self._most_waiting or (
            line is None and len(self._lines) >= self._most_waiting
        ):
            raise TooManyWaiting(self._most_waiting)
        waiter: Future[Answer] = get_running_loop().create_future()
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

    def _begin(self, name: Hashable, line: Line[Key, Answer]) -> None:
        context = Context()
        line.task = get_running_loop().create_task(self._run(line), context=context)
        # Not at the end of _run: cancelled before its first step, a task never gets there.
        line.task.add_done_callback(partial(self._end, name, line), context=context)

    async def _run(self, line: Line[Key, Answer]) -> Callable[[Key], Answer] | None:
        # Only now, so that whoever comes until this task has its turn is asked for too.
        keys = line.advance(self._most_keys)
        return await self._ask(keys) if keys else None

    def _end(
        self,
        name: Hashable,
        line: Line[Key, Answer],
        task: Task[Callable[[Key], Answer] | None],
    ) -> None:
        asked, line.asked = line.asked, {}
        error = CancelledError() if task.cancelled() else task.exception()
        answer_to = task.result() if error is None else None
        for waiter, key in asked.items():
            if waiter.done():
                continue
            if answer_to is not None:
                waiter.set_result(answer_to(key))
            elif error is not None:
                waiter.set_exception(Unanswered(error))
        if line.waiting:
            self._begin(name, line)
        else:
            del self._lines[name]


class Coalesced(Askings[tuple[*Question], Answer], Generic[*Question, Answer]):
    """Asks each question once for all who wait for it, other questions beside it.

    `await coalesced(3, 20)` gives what `ask(3, 20)` answers. All who wait get the same
    object: let it be one that nobody changes.
    """

    def __init__(
        self, ask: Callable[[*Question], Awaitable[Answer]], *, most_waiting: int
    ) -> None:
        super().__init__(1, most_waiting)
        self._ask_one = ask

    def __call__(self, *question: *Question) -> Coroutine[Any, Any, Answer]:
        return self._answer(question, question)

    async def _ask(
        self, keys: Sequence[tuple[*Question]]
    ) -> Callable[[tuple[*Question]], Answer]:
        answer = await self._ask_one(*keys[0])
        return lambda question: answer


class Batched(Askings[Key, Answer | None], Generic[Key, Answer]):
    """Asks once for all the keys that wait together, at most `most_keys` at a time.

    `await batched(7)` gives what the mapping that `ask([7, ...])` answers has for 7, or
    None. The keys of an asking are distinct.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Answer]]],
        *,
        most_keys: int,
        most_waiting: int,
    ) -> None:
        super().__init__(most_keys, most_waiting)
        self._ask_many = ask

    def __call__(self, key: Key) -> Coroutine[Any, Any, Answer | None]:
        return self._answer(None, key)

    async def _ask(self, keys: Sequence[Key]) -> Callable[[Key], Answer | None]:
        return (await self._ask_many(keys)).get
