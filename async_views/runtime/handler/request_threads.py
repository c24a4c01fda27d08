"""A pool of threads for the blocking code of requests, one thread a request.

Django starts a thread for every request, to run its synchronous code, and the new thread
opens a new database connection. Here a request borrows a thread only when it first blocks,
from a bounded pool whose threads keep their connections.
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
    """At most `size` threads, each lent to one request at a time, in order of arrival."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._made = 0
        self._idle: list[ThreadPoolExecutor] = []
        self._waiting: deque[RequestThread] = deque()

    def borrow(self, borrower: "RequestThread") -> None:
        """Lends a thread now, or as soon as one is free."""
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
    """The executor of one request, on which asgiref runs its thread-sensitive code.

    It borrows a thread when the request first blocks; `prelude` runs on it first. Work
    runs in the order it was submitted, one piece at a time.

    `ThreadSensitiveContext(executor=...)` would work too, but costs every request twice as
    much, and refuses thread-sensitive code of tasks that outlive their request; here, as
    in Django, they get a thread of their own.
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
            # Counted before the result is set: code that gets it may release this.
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
        """Called once by RequestThreads, on any thread."""
        with self._lock:
            self._thread = thread
            pending, self._pending = self._pending, []
            # All at once: waking a thread costs more than most of its work.
            thread.submit(self._run_all, pending)

    @property
    def is_idle(self) -> bool:
        """Whether all submitted work has run."""
        with self._lock:
            return not self._unfinished

    def release(self) -> None:
        """Returns the thread once all submitted work has run or was cancelled."""
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
            # No future reports it, because it belongs to no piece of work.
            logger.exception("A thread could not be prepared for a request.")

    def _give_back(self) -> None:
        thread = self._thread
        assert thread is not None
        self._threads.give_back(thread)
