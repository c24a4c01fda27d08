"""A server in a process of its own, which announces its port once it listens."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Concatenate, ParamSpec

from benchmarks.servers.server import Serving

Arguments = ParamSpec("Arguments")
SECONDS_TO_START = 30


@contextmanager
def announced(
    serve: Callable[Concatenate[Connection, Arguments], None],
    *arguments: Arguments.args,
    **options: Arguments.kwargs,
) -> Iterator[Serving]:
    """Calls a module-level function in a new process, which is killed with the block.

    The function sends its port through its first argument. Raises TimeoutError if it
    sends none.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(
        target=serve, args=(theirs, *arguments), kwargs=options, daemon=True
    )
    process.start()
    try:
        if not ours.poll(SECONDS_TO_START):
            raise TimeoutError("The target did not start.")
        assert process.pid is not None
        yield Serving(process.pid, f"http://127.0.0.1:{ours.recv()}/")
    finally:
        process.kill()
        process.join()
