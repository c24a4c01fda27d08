"""On which thread does a request's blocking code run? One for all of it, borrowed late.

Django starts a thread for every request, to run its synchronous code on; and the thread,
being new, has a database connection of its own, also new. Here a request that never
blocks borrows no thread, and one that does borrows it from a bounded few, whose
connections are kept.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import ParamSpec, Self, TypeVar

from asgiref.sync import SyncToAsync, ThreadSensitiveContext

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[[], object]


class RequestThreads:
    """At most `size` threads, lent to one request at a time in the order they ask."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._made = 0
        self._idle: list[ThreadPoolExecutor] = []
        self._waiting: deque[RequestThread] = deque()

    def borrow(self, borrower: "RequestThread") -> None:
        """Lends a thread now, or as soon as one is given back."""
        with self._lock:
            if self._idle:
                thread = self._idle.pop()
            elif self._made < self.size:
                self._made += 1
                thread = ThreadPoolExecutor(1, f"request-{self._made}")
            else:
                self._waiting.append(borrower)
                return
        borrower.lend(thread)

    def give_back(self, thread: ThreadPoolExecutor) -> None:
        with self._lock:
            if not self._waiting:
                self._idle.append(thread)
                return
            borrower = self._waiting.popleft()
        borrower.lend(thread)


class RequestThread(ThreadSensitiveContext, Executor):
    """The thread of one request: what asgiref runs its thread-sensitive code on.

    It is borrowed when the request first blocks; `prelude` runs on it before anything
    else does. Work runs in the order it was submitted, one at a time.

    `ThreadSensitiveContext(executor=...)` would do, but costs every request twice what
    this does, and refuses the thread-sensitive code of tasks that outlive their request;
    here as in Django they get a thread of their own.
    """

    def __init__(self, threads: RequestThreads, prelude: Work) -> None:
        super().__init__()
        self.used = False
        self._threads = threads
        self._prelude = prelude
        self._lock = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._pending: list[Work] = []
        self._prepared = False
        self._unfinished = 0

    def __enter__(self) -> Self:
        self.token = SyncToAsync.thread_sensitive_context.set(self)
        SyncToAsync.context_to_thread_executor[self] = self
        return self

    def __exit__(self, *error: object) -> None:
        del SyncToAsync.context_to_thread_executor[self]
        if self.token is not None:
            SyncToAsync.thread_sensitive_context.reset(self.token)
        self.release()

    def submit(
        self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                self._count_finished()
                return
            # Counted before anybody hears of it: who does may be about to release this.
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                self._count_finished()
                future.set_exception(error)
            else:
                self._count_finished()
                future.set_result(result)

        with self._lock:
            self._unfinished += 1
        self._run(work)
        return future

    def lend(self, thread: ThreadPoolExecutor) -> None:
        """Called once by RequestThreads, on whichever thread gave this one back."""
        with self._lock:
            self._thread = thread
            pending, self._pending = self._pending, []
            # At once, as each time a thread is woken costs more than most of its work.
            thread.submit(self._run_all, pending)

    @property
    def is_idle(self) -> bool:
        """Whether all that was submitted has run."""
        with self._lock:
            return not self._unfinished

    def release(self) -> None:
        """Gives the thread back once what was submitted has run, cancelled or not."""
        if not self.used:
            return
        if self.is_idle:
            self._give_back()
        else:
            self._run(self._give_back)

    def _run(self, work: Work) -> None:
        with self._lock:
            first, self.used = not self.used, True
            if self._thread is not None:
                self._thread.submit(self._run_all, [work])
                return
            self._pending.append(work)
        if first:
            self._threads.borrow(self)

    def _run_all(self, works: list[Work]) -> None:
        if not self._prepared:
            self._prepared = True
            self._prepare()
        for work in works:
            work()

    def _count_finished(self) -> None:
        with self._lock:
            self._unfinished -= 1

    def _prepare(self) -> None:
        try:
            self._prelude()
        except Exception:
            # It belongs to no piece of work, so that nobody else would hear of it.
            logger.exception("A thread could not be prepared for a request.")

    def _give_back(self) -> None:
        thread = self._thread
        assert thread is not None
        self._threads.give_back(thread)
