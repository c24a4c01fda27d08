"""The messages between a generator and its parent, read back from their bytes."""

import asyncio
from dataclasses import replace

import pytest

from async_api.load.generator import messages
from async_api.load.generator.execution import Limits
from async_api.load.generator.messages import (
    Message,
    Order,
    WrongVersion,
    encode,
    order_message,
    read,
    read_order,
    read_result,
    read_snapshot,
    result_message,
    snapshot_message,
)
from async_api.load.generator.snapshot import Snapshot
from async_api.load.plan.plan import (
    Checks,
    Closed,
    Conditions,
    Header,
    Load,
    Plan,
    Rate,
    Request,
    Steps,
)
from async_api.load.recording import Recording
from async_api.load.run import FirstFailure, OpenedConnection, Run, Second, Waterfall
from async_api.outbound.targets import parse_target

PLAN = Plan(
    requests=(
        Request(
            target=parse_target("https://[2001:db8::1]:8443/a%20b?c=d"),
            name="post",
            method="POST",
            headers=(Header("X-One", "1"), Header("Authorization", "x", True)),
            body=bytes(range(256)),
            weight=3,
            checks=Checks(
                statuses=frozenset({200, 404}), matches="[é]", maximum_bytes=9
            ),
        ),
        Request(target=parse_target("http://example.com"), name="plain"),
    ),
    load=Closed(connections=3, requests=10),
    conditions=Conditions(keep_alive=False, ip="6", deadline_seconds=0.25),
    budgets=("p95<200ms",),
)


async def read_back(data: bytes) -> Message | None:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await read(reader)


def passed(message: Message) -> Message:
    received = asyncio.run(read_back(encode(message)))
    assert received is not None
    return received


@pytest.mark.parametrize(
    "load",
    [
        Closed(connections=3, requests=10),
        Closed(connections=3, seconds=1.5),
        Rate(rate=0.1, seconds=2, connections=4, spacing="poisson", seed=2**40),
        Rate(rate=100, seconds=2, connections=4),
        Steps(of="rate", values=(1, 2.5), seconds=3, connections=4),
        Steps(of="connections", values=(1, 2), seconds=3, connections=2),
    ],
)
def test_an_order_is_read_back_as_it_was_written(load: Load) -> None:
    order = Order(
        plan=replace(PLAN, load=load),
        limits=Limits(body_bytes=5, requests=6),
        private=("127.0.0.1", "intranet.example"),
        refusal="{subject} is not public.",
    )

    assert read_order(passed(order_message(order))) == order


def test_a_result_is_read_back_as_it_was_written() -> None:
    recording = Recording()
    recording.add(0, 1, 2, 3, 2**32 - 1, 200, 0, 1, 5)
    recording.add(2**31 - 1, -1, -1, -1, 0, -10, 5, 0, 2)
    run = Run(
        plan=PLAN,
        began=1.75e9 + 0.123,
        duration=3,
        recording=recording,
        connections=(
            OpenedConnection(
                opened=-5,
                address="192.0.2.1",
                port=443,
                lookup=1,
                tcp=2,
                tls=3,
                tls_version="TLSv1.3",
                certificate_expires=1_800_000_000,
            ),
        ),
        opened=1,
        lost=2,
        replaced=3,
        reused=4,
        strays=5,
        cold=Waterfall(
            lookup=1, tcp=2, tls=3, send=4, wait=5, receive=6, server_timing="db;dur=3"
        ),
        seconds=(Second(cpu=1, steal=2, collecting=3, lag=4, connections=5, in_use=6),),
        failures=(FirstFailure(kind="dns", time=7, message="No such name."),),
        exhausted="ports",
        same_machine=True,
        cancelled=True,
    )

    assert read_result(passed(result_message(run)), PLAN) == run


def test_a_snapshot_is_read_back_as_it_was_written() -> None:
    snapshot = Snapshot(
        elapsed=1,
        sent=2,
        answered=3,
        failed=4,
        shed=5,
        rate=6.5,
        connections=7,
        in_use=8,
    )
    snapshot.planned.extend((1, 2))
    snapshot.ended.extend((3, -1))
    snapshot.outcome.extend((200, -1))

    assert read_snapshot(passed(snapshot_message(snapshot))) == snapshot


def test_messages_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> list[str]:
        reader = asyncio.StreamReader()
        reader.feed_data(encode(Message("ready")) + encode(Message("cancel")))
        reader.feed_eof()
        kinds = []
        while message := await read(reader):
            kinds.append(message.kind)
        return kinds

    assert asyncio.run(scenario()) == ["ready", "cancel"]


def test_a_message_of_another_version_is_refused_with_both_versions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = encode(Message("ready"))
    monkeypatch.setattr(messages, "VERSION", 99)

    with pytest.raises(
        WrongVersion, match="has version 1, and this process reads .*99"
    ):
        asyncio.run(read_back(data))


def test_a_message_that_was_cut_off_counts_as_the_end() -> None:
    data = encode(Message("ready"))

    for size in range(len(data)):
        assert asyncio.run(read_back(data[:size])) is None
