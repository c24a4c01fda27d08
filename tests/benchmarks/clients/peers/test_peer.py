"""The peers are known by name."""

from benchmarks.clients.peers.peer import PEERS, WRK, wrk_rate
from tests.benchmarks.clients.test_wrk import REPORT


def test_each_has_a_name_of_its_own() -> None:
    assert len({peer.name for peer in PEERS}) == len(PEERS)
    assert PEERS[0] == WRK


def test_wrk_is_run_with_one_thread_and_read_as_elsewhere() -> None:
    assert "--threads=1" in WRK.command("wrk", "http://127.0.0.1/", 64, 2)
    assert wrk_rate(REPORT) == 3846.51
