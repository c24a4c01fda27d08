"""A server runs in a process of its own until its block ends."""

import os
import pathlib
from urllib.request import urlopen

from benchmarks.servers.announced import announced
from benchmarks.servers.target import Target, serve


def test_it_answers_under_its_url_and_ends_with_its_block() -> None:
    core = min(os.sched_getaffinity(0))
    with announced(serve, Target(under_uvicorn=False), core) as serving:
        with urlopen(serving.url) as response:
            assert response.read() == b"ok"
        assert serving.process != os.getpid()

    assert not pathlib.Path(f"/proc/{serving.process}").exists()
