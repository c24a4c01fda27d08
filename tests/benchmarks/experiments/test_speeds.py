"""The clients' rates are compared round by round, and each has its share of a core."""

from pathlib import Path

import pytest

from benchmarks.clients.peers.installation import NotInstalled
from benchmarks.clients.peers.peer import PEERS, WRK, Peer
from benchmarks.experiments.speeds import (
    OURS,
    Turn,
    ahead_of,
    installed,
    relative_to_wrk,
    table_of,
)

HEY = next(peer for peer in PEERS if peer.name == "hey")
TURNS = {
    OURS: (Turn(9_000, 0.5, 0.9), Turn(5_000, 0.6, 1)),
    WRK: (Turn(10_000, 0.2, 1), Turn(5_000, 0.3, 1)),
    HEY: (Turn(8_000, 0.8, 0.8), Turn(6_000, 0.9, 0.8)),
}


def test_a_row_has_rate_ratio_and_shares() -> None:
    head, ours, wrk, hey = table_of(TURNS)

    assert len(head) == len(ours)
    assert hey == (
        *("hey", "Go", "7,000 (6,000 to 8,000)", "1.00 (0.80 to 1.20)"),
        *("0.85 (0.80 to 0.90)", "125.0 (100.0 to 150.0)", "0.80"),
    )
    assert wrk[3] == "1.00"


def test_goals_are_the_ratios_within_rounds() -> None:
    [to_wrk] = relative_to_wrk(TURNS, 0.9)
    [to_hey] = ahead_of(TURNS, [HEY])

    assert (to_wrk.measured.median, to_wrk.met) == (0.95, True)
    assert to_hey.measured.median == (90 / 80 + 50 / 60) / 2
    assert not to_hey.met


def test_a_peer_that_cannot_be_installed_is_named_and_left_out() -> None:
    def fail() -> Path:
        raise NotInstalled("npm is missing")

    missing = Peer("autocannon", "Node", fail, WRK.command, WRK.parse)
    notes: list[str] = []

    found = installed([missing, OURS], notes)

    assert [peer for peer, _ in found] == [OURS]
    assert notes == ["autocannon is left out, because npm is missing."]


@pytest.mark.parametrize("peer", (OURS, *PEERS), ids=lambda peer: peer.name)
def test_every_client_is_asked_for_the_same_load(peer: Peer) -> None:
    words = peer.command("/bin/program", "http://127.0.0.1:8000/", 64, 7)

    text = " ".join(words)
    assert "64" in text
    assert "7" in text
    assert "127.0.0.1:8000" in text
