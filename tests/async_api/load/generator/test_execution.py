"""Plans executed against real targets, in the test's process."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from async_api.load.generator.resolver import SystemResolver
from async_api.load.plan.plan import Checks, Closed, Rate, Steps
from async_api.load.recording import NEVER, FailedCheck, Flag, Outcome
from async_api.load.run import Run
from async_api.outbound.lookups import Lookup
from tests.async_api.load.generator.plans import executed, execution_of, plan_of
from tests.support.raw_target import RawConnection, RawTarget
from tests.support.target import TargetServer

DELAY = 100_000  # microseconds
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def run_of(*urls: str, **plan: object) -> Run:
    return asyncio.run(executed(plan_of(*urls, **plan)))  # type: ignore[arg-type]


def flagged(run: Run, flag: Flag) -> int:
    return sum(bool(flags & flag) for flags in run.recording.flags)


def sent(run: Run) -> int:
    return sum(time != NEVER for time in run.recording.sent)


def test_a_closed_load_sends_its_requests_over_its_connections(
    target: TargetServer,
) -> None:
    run = run_of(f"{target.url}/ok", load=Closed(connections=3, requests=50))

    assert Counter(run.recording.outcome) == {200: 50}
    assert len(target.asked) == 50
    assert run.opened == target.connections == 3
    assert run.reused == 47
    assert set(run.recording.size) == {2}
    assert (run.lost, run.replaced, run.strays, run.failures) == (0, 0, 0, ())


def test_times_are_in_order_and_each_request_begins_as_the_one_before_ends(
    target: TargetServer,
) -> None:
    recording = run_of(
        f"{target.url}/ok", load=Closed(connections=1, requests=20)
    ).recording

    for planned, sent_at, first, ended in zip(
        recording.planned,
        recording.sent,
        recording.first_byte,
        recording.ended,
        strict=True,
    ):
        assert 0 <= planned <= sent_at <= first <= ended
    assert list(recording.planned[1:]) == list(recording.ended[:-1])
    assert recording.planned[0] == 0


def test_a_closed_load_ends_after_its_seconds(target: TargetServer) -> None:
    run = run_of(f"{target.url}/ok", load=Closed(connections=2, seconds=0.2))

    assert max(run.recording.planned) < 200_000
    assert len(run.recording) == len(target.asked) > 0
    assert run.duration == max(run.recording.ended)


def test_a_rate_keeps_its_schedule(target: TargetServer) -> None:
    run = run_of(f"{target.url}/ok", load=Rate(rate=500, seconds=0.6, connections=20))

    recording = run.recording
    assert len(target.asked) == 300
    assert sorted(recording.planned) == [2000 * number for number in range(300)]
    assert all(
        sent_at >= planned
        for sent_at, planned in zip(recording.sent, recording.planned, strict=True)
    )


def test_requests_are_sent_by_their_weights(target: TargetServer) -> None:
    run = run_of(
        f"{target.url}/ok",
        f"{target.url}/status/404",
        weights=(3, 1),
        load=Closed(connections=2, requests=40),
    )

    assert Counter(run.recording.request) == {0: 30, 1: 10}
    assert Counter(asked.path for asked in target.asked) == {
        "/ok": 30,
        "/status/404": 10,
    }


def test_every_origin_has_connections_of_its_own(target: TargetServer) -> None:
    with TargetServer() as other:
        run = run_of(
            f"{target.url}/ok",
            f"{other.url}/ok",
            load=Closed(connections=2, requests=20),
        )

        assert (len(target.asked), len(other.asked)) == (10, 10)
        assert (target.connections, other.connections) == (2, 2)
        assert run.opened == 4


def test_the_warm_up_is_marked_by_planned_time(target: TargetServer) -> None:
    run = run_of(
        f"{target.url}/ok",
        load=Rate(rate=20, seconds=0.4, connections=5),
        warm_up_seconds=0.2,
    )

    marked = [
        planned
        for planned, flags in zip(
            run.recording.planned, run.recording.flags, strict=True
        )
        if flags & Flag.WARM_UP
    ]
    assert sorted(marked) == [0, 50_000, 100_000, 150_000]


def test_every_sent_request_is_answered_or_failed_and_in_the_targets_log(
    target: TargetServer,
) -> None:
    run = run_of(
        f"{target.url}/ill",
        load=Closed(connections=4, requests=40),
        response_seconds=0.3,
    )

    outcomes = Counter(run.recording.outcome)
    assert sent(run) == len(run.recording) == len(target.asked) == 40
    assert outcomes == {200: 8, Outcome.TIMEOUT: 8, Outcome.DISCONNECTED: 24}
    assert {(each.kind, each.count) for each in run.failures} == {
        ("timeout", 8),
        ("disconnected", 24),
    }


def test_a_rate_over_a_target_that_misbehaves_accounts_for_every_request(
    target: TargetServer,
) -> None:
    run = run_of(f"{target.url}/mixed", load=Rate(rate=200, seconds=0.4, connections=8))

    outcomes = Counter(run.recording.outcome)
    assert len(run.recording) == 80
    assert sent(run) == len(target.asked)
    # A new connection can be lost before its request could be sent.
    assert outcomes[200] + outcomes[503] + outcomes[Outcome.DISCONNECTED] == 80


def test_a_timeout_is_counted_from_the_send(target: TargetServer) -> None:
    recording = run_of(
        f"{target.url}/wait",
        load=Closed(connections=2, requests=2),
        response_seconds=0.1,
    ).recording

    assert list(recording.outcome) == [Outcome.TIMEOUT] * 2
    for sent_at, ended in zip(recording.sent, recording.ended, strict=True):
        assert ended - sent_at >= 100_000


def test_requests_that_find_no_free_connection_wait_and_say_so() -> None:
    frozen = threading.Event()

    def freeze_once(connection: RawConnection) -> None:
        while connection.request() is not None:
            if not frozen.is_set() and len(connection.server.log) > 20:
                frozen.set()
                connection.server.stopping.wait(0.5)
            connection.write(OK)

    with RawTarget(freeze_once) as target:
        run = run_of(f"{target.url}/", load=Rate(rate=100, seconds=1, connections=1))

    recording = run.recording
    assert Counter(recording.outcome) == {200: 100}
    waited = [
        flags
        for planned, ended, flags in zip(
            recording.planned, recording.ended, recording.flags, strict=True
        )
        if ended - planned > 250_000
    ]
    slow = sum(
        ended - sent_at > 250_000
        for sent_at, ended in zip(recording.sent, recording.ended, strict=True)
    )
    # One request met the frozen target; those behind it waited for its connection.
    assert len(waited) >= 20
    assert sum(bool(flags & Flag.NONE_FREE) for flags in waited) >= len(waited) - 1
    assert slow <= 3


def test_a_request_is_shed_after_its_deadline(target: TargetServer) -> None:
    run = run_of(
        f"{target.url}/wait",
        load=Rate(rate=20, seconds=0.5, connections=1),
        deadline_seconds=0.1,
        response_seconds=0.8,
    )

    outcomes = Counter(run.recording.outcome)
    assert outcomes == {Outcome.TIMEOUT: 1, Outcome.SHED: 9}
    assert len(target.asked) == 1
    for outcome, sent_at, ended in zip(
        run.recording.outcome, run.recording.sent, run.recording.ended, strict=True
    ):
        if outcome == Outcome.SHED:
            assert (sent_at, ended) == (NEVER, NEVER)


def test_a_refused_connection_is_the_outcome_of_the_request_that_waited_for_it(
    unused_port: Callable[[], int],
) -> None:
    run = run_of(
        f"http://127.0.0.1:{unused_port()}/", load=Closed(connections=2, requests=6)
    )

    assert list(run.recording.outcome) == [Outcome.CONNECT] * 6
    assert set(run.recording.sent) == {NEVER}
    assert [(each.kind, each.count) for each in run.failures] == [("connect", 6)]
    assert run.opened == 0


def test_a_rate_over_refused_connections_ends(unused_port: Callable[[], int]) -> None:
    run = run_of(
        f"http://127.0.0.1:{unused_port()}/",
        load=Rate(rate=100, seconds=0.2, connections=3),
    )

    assert list(run.recording.outcome) == [Outcome.CONNECT] * 20


def test_an_address_that_is_not_allowed_is_refused_for_each_request() -> None:
    run = run_of("http://10.0.0.1/", load=Closed(connections=1, requests=2))

    assert list(run.recording.outcome) == [Outcome.REFUSED] * 2


def test_without_keep_alive_each_request_opens_a_connection(
    target: TargetServer,
) -> None:
    run = run_of(
        f"{target.url}/ok",
        load=Closed(connections=2, requests=10),
        keep_alive=False,
    )

    assert Counter(run.recording.outcome) == {200: 10}
    assert target.connections == run.opened == 10
    assert flagged(run, Flag.NEW_CONNECTION) == 10
    assert run.reused == 0
    assert run.warm is None


def test_connections_are_opened_before_the_clock_or_on_demand(
    target: TargetServer,
) -> None:
    load = Rate(rate=20, seconds=0.2, connections=5)
    first = run_of(f"{target.url}/ok", load=load)
    on_demand = run_of(f"{target.url}/ok", load=load, connect_first=False)

    assert first.opened == 5
    assert all(each.opened < 0 for each in first.connections)
    assert flagged(first, Flag.NEW_CONNECTION) == 0
    assert 1 <= on_demand.opened <= 4
    assert all(each.opened >= 0 for each in on_demand.connections)
    assert flagged(on_demand, Flag.NEW_CONNECTION) >= 1


def test_a_connection_closed_while_idle_is_replaced_and_counted() -> None:
    def answer_once(connection: RawConnection) -> None:
        if connection.request() is not None:
            connection.write(OK)

    with RawTarget(answer_once) as target:
        run = run_of(f"{target.url}/", load=Rate(rate=10, seconds=0.5, connections=1))

        assert Counter(run.recording.outcome) == {200: 5}
        assert len(target.log) == 5
    assert run.lost >= 4
    assert run.opened >= 5


def test_a_target_that_closes_every_new_connection_fails_the_requests() -> None:
    with RawTarget(lambda connection: None) as target:
        run = run_of(f"{target.url}/", load=Closed(connections=2, requests=6))

    assert list(run.recording.outcome) == [Outcome.DISCONNECTED] * 6


def test_failed_checks_and_redirects_are_recorded(target: TargetServer) -> None:
    run = run_of(
        f"{target.url}/redirect?to=/ok",
        load=Closed(connections=1, requests=2),
        checks=Checks(statuses=frozenset({200})),
    )

    assert list(run.recording.failed_check) == [FailedCheck.STATUS] * 2
    assert flagged(run, Flag.REDIRECT) == 2
    (failure,) = run.failures
    assert (failure.kind, failure.count) == ("unexpected", 2)
    assert "request 0 has a status that the plan does not expect" in failure.message


def test_the_cold_waterfall_has_the_phases_of_opening_and_the_warm_one_none(
    target: TargetServer,
) -> None:
    run = run_of(
        f"{target.url}/ok",
        load=Closed(connections=1, requests=3),
        connect_first=False,
    )

    assert run.cold is not None and run.warm is not None
    assert run.cold.tcp == run.connections[0].tcp > 0
    assert (run.warm.lookup, run.warm.tcp, run.warm.tls) == (0, 0, 0)
    took = run.recording.ended[1] - run.recording.sent[1]
    assert run.warm.total == pytest.approx(took, abs=3)


class SlowNames(SystemResolver):
    """Every name is localhost, after a while."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[Lookup]:
        await asyncio.sleep(DELAY / 1e6)
        return await super().resolve("127.0.0.1", port, family)


def test_each_delay_is_found_in_its_phase() -> None:
    def delay(connection: RawConnection) -> None:
        while connection.request() is not None:
            time.sleep(2 * DELAY / 1e6)
            connection.write(OK[:-1])
            time.sleep(3 * DELAY / 1e6)
            connection.write(OK[-1:])

    with RawTarget(delay) as target:
        plan = plan_of(
            f"http://slow.example:{target.port}/",
            load=Closed(connections=1, requests=2),
            connect_first=False,
        )
        run = asyncio.run(execution_of(plan, resolver=SlowNames()).run())

    assert run.cold is not None and run.warm is not None
    assert run.cold.lookup == pytest.approx(DELAY, rel=0.5)
    assert run.cold.wait == pytest.approx(2 * DELAY, rel=0.4)
    assert run.cold.receive == pytest.approx(3 * DELAY, rel=0.3)
    assert run.warm.lookup == 0
    assert run.warm.wait == pytest.approx(2 * DELAY, rel=0.4)
    took = run.recording.ended[0] - run.recording.planned[0]
    assert run.cold.total == pytest.approx(took, rel=0.1)


def test_a_target_on_this_machine_is_noticed(target: TargetServer) -> None:
    assert run_of(f"{target.url}/ok").same_machine


def test_steps_of_rates_and_of_connections_are_followed(target: TargetServer) -> None:
    rates = run_of(
        f"{target.url}/ok",
        load=Steps(of="rate", values=(20, 50), seconds=0.2, connections=5),
    )
    numbers = run_of(
        f"{target.url}/wait",
        load=Steps(of="connections", values=(1, 4), seconds=0.1, connections=0),
        response_seconds=0.5,
    )

    assert sum(planned < 200_000 for planned in rates.recording.planned) == 4
    assert len(rates.recording) == 14
    assert sorted(numbers.recording.planned) == [0, 100_000, 100_000, 100_000]


def test_a_cancelled_run_closes_its_sockets_and_keeps_what_it_has(
    target: TargetServer,
) -> None:
    async def scenario() -> Run:
        execution = execution_of(
            plan_of(
                f"{target.url}/wait", load=Rate(rate=50, seconds=600, connections=3)
            )
        )
        running = asyncio.create_task(execution.run())
        await asyncio.to_thread(
            target.wait_until, lambda target: len(target.asked) == 3
        )
        execution.cancel()
        return await running

    run = asyncio.run(scenario())

    target.wait_until(lambda target: target.open_connections == 0)
    assert run.cancelled
    assert set(run.recording.outcome) == {Outcome.CANCELLED}
    assert sent(run) == len(target.asked) == 3


def test_a_run_can_be_cancelled_before_it_begins(target: TargetServer) -> None:
    async def scenario() -> Run:
        execution = execution_of(plan_of(f"{target.url}/ok"))
        execution.cancel()
        return await execution.run()

    run = asyncio.run(scenario())

    assert run.cancelled
    assert len(run.recording) == target.connections == 0


def test_a_run_can_be_cancelled_while_it_connects() -> None:
    async def scenario(port: int, connected: Callable[[], int]) -> Run:
        execution = execution_of(
            plan_of(
                f"https://127.0.0.1:{port}/", load=Closed(connections=2, requests=2)
            )
        )
        running = asyncio.create_task(execution.run())
        while connected() < 2:
            await asyncio.sleep(0.01)
        execution.cancel()
        return await running

    def ignore(connection: RawConnection) -> None:
        connection.server.stopping.wait(60)  # and never takes part in a TLS handshake

    with RawTarget(ignore) as target:
        run = asyncio.run(scenario(target.port, lambda: target.connections))

    assert run.cancelled
    assert (len(run.recording), run.opened) == (0, 0)


def test_a_long_pause_between_requests_does_not_delay_a_cancellation(
    target: TargetServer,
) -> None:
    async def scenario() -> Run:
        execution = execution_of(
            plan_of(
                f"{target.url}/ok", load=Rate(rate=0.01, seconds=600, connections=1)
            )
        )
        running = asyncio.create_task(execution.run())
        await asyncio.to_thread(
            target.wait_until, lambda target: len(target.asked) == 1
        )
        execution.cancel()
        async with asyncio.timeout(30):
            return await running

    assert asyncio.run(scenario()).cancelled
