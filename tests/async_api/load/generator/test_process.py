"""Generators in processes of their own, as their parent sees them."""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from async_api.load.generator import child
from async_api.load.generator.child import (
    Generator,
    GeneratorFailed,
    GeneratorRefused,
    generate,
)
from async_api.load.generator.snapshot import Snapshot
from async_api.load.plan.plan import Closed, Plan, Rate
from async_api.load.recording import Outcome
from async_api.load.run import Run
from tests.async_api.load.generator.plans import LIMITS, LOCAL, REFUSAL, plan_of
from tests.support.raw_target import RawConnection, RawTarget
from tests.support.target import TargetServer

# The generator starts processes by itself.
pytestmark = pytest.mark.served

ROOT = Path(__file__).resolve().parents[4]
SECONDS_TO_END = 30


def ignore(snapshot: Snapshot) -> None: ...


def generator_of(
    plan: Plan, on_snapshot: Callable[[Snapshot], None] = ignore
) -> Generator:
    return Generator(
        plan, LIMITS, private=LOCAL, refusal=REFUSAL, on_snapshot=on_snapshot
    )


def waiting_plan(target: TargetServer, connections: int = 3) -> Plan:
    """Requests that get no response until the target is released."""
    return plan_of(
        f"{target.url}/wait",
        load=Closed(connections=connections, requests=connections),
    )


async def asked(target: TargetServer, number: int) -> None:
    await asyncio.to_thread(
        target.wait_until, lambda target: len(target.asked) >= number
    )


def test_a_generator_hands_over_a_run_of_the_plan(target: TargetServer) -> None:
    plan = plan_of(f"{target.url}/ok", load=Closed(connections=2, requests=500))

    run = asyncio.run(
        generate(plan, LIMITS, private=LOCAL, refusal=REFUSAL, on_snapshot=ignore)
    )

    assert run.plan is plan
    assert Counter(run.recording.outcome) == {200: 500}
    assert len(target.asked) == 500
    assert run.opened == target.connections == 2
    assert not run.cancelled


def test_a_result_larger_than_a_pipe_is_handed_over_whole() -> None:
    # Each request fails at once, as its target has no address of the version asked for.
    plan = plan_of(
        "http://127.0.0.1/", load=Closed(connections=8, requests=3000), ip="6"
    )

    run = asyncio.run(generator_of(plan).run())

    assert list(run.recording.outcome) == [Outcome.CONNECT] * 3000


@pytest.mark.parametrize(("hard", "exhausted"), [(64, "file descriptors"), (1024, "")])
def test_only_the_hard_limit_of_descriptors_limits_the_connections(
    target: TargetServer, hard: int, exhausted: str
) -> None:
    code = f"""
import asyncio, resource
from tests.async_api.load.generator.plans import *
from tests.async_api.load.generator.test_process import generator_of
resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard}))
plan = plan_of("{target.url}/ok", load=Closed(connections=80, requests=80))
print(asyncio.run(generator_of(plan).run()).exhausted)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == exhausted


def test_a_relative_path_of_certificates_is_that_of_the_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, self_signed: ssl.SSLContext
) -> None:
    monkeypatch.chdir(tmp_path)

    def answer(connection: RawConnection) -> None:
        if connection.request() is not None:
            connection.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    with RawTarget(answer, self_signed) as secure:
        plan = plan_of(
            f"https://localhost:{secure.port}/", ca_file="certificate.pem", ip="4"
        )
        run = asyncio.run(
            generate(
                plan,
                LIMITS,
                private=("localhost",),
                refusal=REFUSAL,
                on_snapshot=ignore,
            )
        )

    assert list(run.recording.outcome) == [204]
    assert run.cold is not None and run.cold.tls > 0
    assert run.connections[0].tls_version == "TLSv1.3"


def test_snapshots_come_while_it_runs(target: TargetServer) -> None:
    snapshots: list[Snapshot] = []
    plan = plan_of(f"{target.url}/ok", load=Rate(rate=100, seconds=1.3, connections=5))

    run = asyncio.run(generator_of(plan, snapshots.append).run())

    assert len(snapshots) >= 1
    assert 0 < snapshots[0].answered <= len(run.recording) == 130
    assert len(snapshots[0].from_plan()) == snapshots[0].answered
    assert snapshots[0].elapsed >= 1_000_000
    assert len(run.seconds) >= 2


def test_a_target_that_is_not_allowed_is_refused_before_anything_is_sent() -> None:
    plan = plan_of("http://10.0.0.1/")

    with pytest.raises(GeneratorRefused, match="10.0.0.1 is not a public address"):
        asyncio.run(generator_of(plan).run())


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    plan = plan_of("https://127.0.0.1:1/", ca_file=str(tmp_path / "ca.pem"))

    with pytest.raises(GeneratorFailed, match="ca.pem' cannot be read"):
        asyncio.run(generator_of(plan).run())


def test_a_cancelled_generator_hands_over_what_it_measured(
    target: TargetServer,
) -> None:
    async def scenario() -> Run:
        generator = generator_of(waiting_plan(target))
        running = asyncio.create_task(generator.run())
        await asked(target, 3)
        generator.cancel()
        async with asyncio.timeout(SECONDS_TO_END):
            return await running

    run = asyncio.run(scenario())

    assert run.cancelled
    assert list(run.recording.outcome) == [Outcome.CANCELLED] * 3
    target.wait_until(lambda target: target.open_connections == 0)


def test_a_generator_that_saturates_its_processor_can_be_cancelled(
    target: TargetServer,
) -> None:
    async def scenario() -> Run:
        generator = generator_of(
            plan_of(f"{target.url}/ok", load=Closed(connections=20, seconds=600))
        )
        running = asyncio.create_task(generator.run())
        await asked(target, 100)
        generator.cancel()
        async with asyncio.timeout(SECONDS_TO_END):
            return await running

    run = asyncio.run(scenario())

    assert run.cancelled
    # A target may never read what was under way as the connections were reset.
    cancelled = run.recording.outcome.count(Outcome.CANCELLED)
    sent = len(run.recording)
    assert sent - cancelled <= len(target.asked) <= sent


def test_a_generator_that_does_not_respond_is_killed(
    target: TargetServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "SECONDS_TO_HAND_OVER", 0.1)

    async def scenario() -> None:
        generator = generator_of(waiting_plan(target))
        running = asyncio.create_task(generator.run())
        await asked(target, 3)
        assert generator.pid is not None
        os.kill(generator.pid, signal.SIGSTOP)
        generator.cancel()
        await running

    with pytest.raises(GeneratorFailed, match="was ended by signal 9"):
        asyncio.run(scenario())


def test_a_generator_can_be_cancelled_before_it_has_started(
    target: TargetServer,
) -> None:
    generator = generator_of(waiting_plan(target))
    generator.cancel()

    run = asyncio.run(generator.run())

    assert run.cancelled
    assert len(run.recording) == sum(
        outcome == Outcome.CANCELLED for outcome in run.recording.outcome
    )


def test_sigterm_cancels_and_the_interrupt_of_the_terminal_does_not(
    target: TargetServer,
) -> None:
    async def scenario() -> Run:
        generator = generator_of(waiting_plan(target))
        running = asyncio.create_task(generator.run())
        await asked(target, 3)
        assert generator.pid is not None
        os.kill(generator.pid, signal.SIGINT)
        await asyncio.sleep(0.1)
        assert not running.done()
        os.kill(generator.pid, signal.SIGTERM)
        async with asyncio.timeout(SECONDS_TO_END):
            return await running

    assert asyncio.run(scenario()).cancelled


def test_cancelling_the_coroutine_ends_the_process(target: TargetServer) -> None:
    async def scenario() -> int:
        generator = generator_of(waiting_plan(target))
        running = asyncio.create_task(generator.run())
        await asked(target, 3)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert generator.pid is not None
        return generator.pid

    assert not psutil.pid_exists(asyncio.run(scenario()))
    target.wait_until(lambda target: target.open_connections == 0)


def test_the_death_of_a_generator_is_told_with_its_signal(
    target: TargetServer,
) -> None:
    async def scenario() -> None:
        generator = generator_of(waiting_plan(target))
        running = asyncio.create_task(generator.run())
        await asked(target, 3)
        assert generator.pid is not None
        os.kill(generator.pid, signal.SIGKILL)
        await running

    with pytest.raises(GeneratorFailed, match="was ended by signal 9"):
        asyncio.run(scenario())


def test_a_generator_ends_with_its_parent(target: TargetServer) -> None:
    code = f"""
import asyncio
from tests.async_api.load.generator.plans import *
from tests.async_api.load.generator.test_process import generator_of
plan = plan_of("{target.url}/wait", load=Closed(connections=3, requests=3))
asyncio.run(generator_of(plan).run())
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as parent:
        target.wait_until(lambda target: len(target.asked) == 3)
        (generator,) = psutil.Process(parent.pid).children()
        parent.kill()

        target.wait_until(lambda target: target.open_connections == 0)

    _, alive = psutil.wait_procs([generator], timeout=SECONDS_TO_END)
    assert not alive


def test_a_generator_imports_neither_django_nor_the_site() -> None:
    code = (
        "import sys, async_api.load.generator.process\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert not {"django", "async_views", "aiohttp"} & set(done.stdout.split())
