"""Snapshots of a ledger that a test has filled."""

from async_api.load.generator.sending.ledger import Due, Ledger
from async_api.load.generator.snapshot import MAX_OUTCOMES, Snapshots
from async_api.load.recording import Outcome
from tests.async_api.load.generator.plans import plan_of

BEGAN = 7_000_000


def ledger() -> Ledger:
    return Ledger(plan_of("http://192.0.2.1/"), BEGAN)


def answered(to: Ledger, *, number: int, planned: int, sent: int, ended: int) -> None:
    for _ in range(number):
        to.recording.add(planned, sent, sent + 1, ended, 2, 200, 0, 0, 0)


def test_a_snapshot_counts_from_the_beginning_and_its_rate_from_the_one_before() -> (
    None
):
    own = ledger()
    snapshots = Snapshots(own)
    answered(own, number=10, planned=0, sent=5, ended=30)
    first = snapshots.take(BEGAN + 1_000_000_000, 4, 3)
    answered(own, number=5, planned=1, sent=11, ended=31)
    own.unsent_request(Due(BEGAN, 0, 0), BEGAN + 5000, Outcome.SHED, "Late.")
    own.unsent_request(Due(BEGAN, 0, 0), BEGAN + 5000, Outcome.DNS, "No such name.")

    second = snapshots.take(BEGAN + 1_500_000_000, 4, 2)

    assert (first.elapsed, first.answered, first.sent, first.rate) == (
        1_000_000,
        10,
        13,
        10.0,
    )
    assert (second.answered, second.sent, second.failed, second.shed) == (15, 17, 1, 1)
    assert second.rate == 10.0
    assert (second.connections, second.in_use) == (4, 2)


def test_latencies_are_those_of_the_responses_since_the_snapshot_before() -> None:
    own = ledger()
    snapshots = Snapshots(own)
    answered(own, number=3, planned=0, sent=0, ended=99)
    snapshots.take(BEGAN, 1, 1)
    answered(own, number=1, planned=10, sent=15, ended=40)
    answered(own, number=1, planned=10, sent=12, ended=20)
    own.unsent_request(Due(BEGAN, 0, 0), BEGAN + 5000, Outcome.DNS, "No such name.")

    snapshot = snapshots.take(BEGAN, 1, 1)

    assert snapshot.from_plan() == [10, 30]
    assert snapshot.from_send() == [8, 25]


def test_of_many_outcomes_a_snapshot_has_evenly_spread_ones() -> None:
    own = ledger()
    for number in range(3 * MAX_OUTCOMES):
        answered(own, number=1, planned=number, sent=number, ended=number + 1)

    snapshot = Snapshots(own).take(BEGAN, 1, 1)

    assert list(snapshot.planned) == list(range(0, 3 * MAX_OUTCOMES, 3))
    assert len(snapshot.outcome) == len(snapshot.ended) == MAX_OUTCOMES


def test_nothing_new_is_an_empty_snapshot() -> None:
    snapshot = Snapshots(ledger()).take(BEGAN, 0, 0)

    assert snapshot.from_plan() == []
    assert (snapshot.sent, snapshot.rate) == (0, 0)
