import asyncio

from async_views.runtime.views.gateway import event_loop_id


async def identify() -> str:
    return event_loop_id()


async def test_a_loop_keeps_its_id() -> None:
    assert event_loop_id() == event_loop_id()


def test_successive_loops_differ_even_if_their_addresses_do_not() -> None:
    assert len({asyncio.run(identify()) for _ in range(20)}) == 20
