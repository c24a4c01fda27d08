"""The counter's benchmark connects clients to the real site, and prints a table."""

from benchmarks.clients.crowd import crowd
from benchmarks.counter import Row, site, table


def test_the_site_counts_a_crowd_and_sends_it_the_count() -> None:
    with site(1) as our, crowd(our.serving.url) as clients:
        clients.join(6)
        clients.agreed(6, 30)

        assert sum(connections for _, connections in our.leases()) == 6


def test_a_row_shows_whether_its_goal_was_met() -> None:
    rows = [Row("a", "1 s", "2 s", met=False), Row("b", "", "3 s", "4 s")]

    assert table(rows)[1:] == [
        ("a", "1 s", "2 s", "missed", ""),
        ("b", "", "3 s", "", "4 s"),
    ]
