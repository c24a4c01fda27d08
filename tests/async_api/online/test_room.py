"""Is there room for as many sockets as may be, and for no more?"""

from contextlib import ExitStack

import pytest

from async_api.online.room import NoRoom, Room


def take(room: Room, *addresses: str) -> ExitStack:
    taken = ExitStack()
    for address in addresses:
        taken.enter_context(room.place(address))
    return taken


def test_a_worker_has_so_many_places() -> None:
    room = Room(most=2, most_of_an_address=0)
    with take(room, "192.0.2.1", "192.0.2.2"):
        with pytest.raises(NoRoom, match="This worker has 2 sockets open"):
            take(room, "192.0.2.3")


def test_an_address_has_so_many_places_and_others_have_theirs() -> None:
    room = Room(most=10, most_of_an_address=2)
    with take(room, "192.0.2.1", "192.0.2.1"):
        with pytest.raises(NoRoom, match=r"address 192\.0\.2\.1 has 2 sockets open"):
            take(room, "192.0.2.1")
        take(room, "192.0.2.2").close()


def test_of_ipv6_a_whole_network_is_one_address() -> None:
    room = Room(most=10, most_of_an_address=1)
    with take(room, "2001:db8:1:2::1"):
        with pytest.raises(NoRoom, match="2001:db8:1:2::/64"):
            take(room, "2001:db8:1:2:ffff::2")
        take(room, "2001:db8:1:3::1").close()


def test_without_a_bound_an_address_may_have_them_all() -> None:
    room = Room(most=100, most_of_an_address=0)

    take(room, *["192.0.2.1"] * 100).close()


def test_a_place_that_is_left_is_free_and_forgotten() -> None:
    room = Room(most=1, most_of_an_address=1)

    for number in range(5):
        take(room, f"192.0.2.{number}").close()

    assert room.taken == 0
    assert not room.taken_by


def test_who_is_refused_takes_nothing() -> None:
    room = Room(most=5, most_of_an_address=1)
    with take(room, "192.0.2.1"):
        for _ in range(3):
            with pytest.raises(NoRoom):
                take(room, "192.0.2.1")

        assert room.taken == 1
