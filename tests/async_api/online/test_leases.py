"""Every count becomes right within the promised time."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from async_api.online.leases import (
    EXPIRY_GRACE_SECONDS,
    Count,
    Lease,
    Times,
)
from tests.async_api.online.network import Network, Process, Worker

TIMES = Times()
# A change is written after at most one flush, and read after at most one more.
HEARD = 2 * TIMES.flush
# Without the bus it is read at the next heartbeat.
UNHEARD = TIMES.flush + TIMES.heartbeat
EXPIRED = TIMES.lease + EXPIRY_GRACE_SECONDS
MACHINES = ("red", "green", "blue")


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def settled(network: Network) -> list[Worker]:
    """Two workers on one machine and two on another, with four sockets each."""
    workers = [network.start(machine) for machine in ("red", "red", "blue", "blue")]
    for worker in workers:
        worker.count.own = 4
    network.advance(10)
    assert network.totals() == [16] * 4
    return workers


def test_a_worker_s_own_sockets_count_at_once(
    network: Network, settled: list[Worker]
) -> None:
    settled[0].count.own += 1

    assert settled[0].count.total == 17


@pytest.mark.parametrize("change", [-1, +1])
def test_a_change_is_known_to_all_after_two_flushes(
    network: Network, settled: list[Worker], change: int
) -> None:
    settled[0].count.own += change

    network.seconds_until_right(at_most=HEARD)


def test_a_change_whose_hint_is_lost_is_known_after_a_heartbeat(
    network: Network, settled: list[Worker]
) -> None:
    for worker in settled:
        network.set_bus(worker, False)
    network.advance(1.5)

    settled[0].count.own += 1

    network.seconds_until_right(at_most=UNHEARD)


def test_a_neighbour_s_next_check_removes_the_sockets_of_a_killed_worker(
    network: Network, settled: list[Worker]
) -> None:
    network.kill(settled[0])

    network.seconds_until_right(at_most=TIMES.check + HEARD)
    assert settled[0].count.worker not in network.rows


def test_a_worker_that_replaces_a_killed_one_never_counts_its_sockets(
    network: Network, settled: list[Worker]
) -> None:
    for worker in settled[:2]:
        network.kill(worker)

    replacement = network.start("red")
    network.advance(0)

    assert replacement.count.total == 8


def test_dead_workers_do_not_count_even_if_their_leases_are_read_again() -> None:
    count = Network().start("red").count
    dead = Lease(Network().start("red").count.worker, Process("red", False), 5, 10.0)

    for now in (0.0, 1.0):
        count.begin_query(now)
        count.read(now, [dead])

        assert count.total == 0


def test_a_dead_neighbour_is_not_counted_while_the_store_is_down(
    network: Network, settled: list[Worker]
) -> None:
    for worker in settled:
        network.cut_off(worker)
    network.kill(settled[0])

    network.advance(TIMES.check)

    assert settled[1].count.total == 12


def test_a_lost_machine_counts_until_its_leases_expire(
    network: Network, settled: list[Worker]
) -> None:
    for worker in settled[:2]:
        network.kill(worker)

    assert network.seconds_until_right(at_most=EXPIRED) > TIMES.lease / 2


def test_a_stopped_worker_is_no_longer_counted_after_one_flush(
    network: Network, settled: list[Worker]
) -> None:
    network.advance(TIMES.flush)

    network.stop(settled[0])

    network.seconds_until_right(at_most=TIMES.flush)


def test_without_the_store_local_changes_are_still_counted(
    network: Network, settled: list[Worker]
) -> None:
    for worker in settled:
        network.cut_off(worker)

    network.advance(30)
    settled[0].count.own += 2

    assert network.totals() == [18, 16, 16, 16]


@pytest.mark.parametrize("away", [TIMES.lease / 2, 3 * TIMES.lease])
def test_three_flushes_after_the_store_is_back_all_counts_are_right(
    network: Network, settled: list[Worker], away: float
) -> None:
    for worker in settled:
        network.cut_off(worker)
    network.advance(away)
    network.lose_rows()

    for worker in settled:
        network.connect(worker)
    network.advance(3 * TIMES.flush)

    assert network.totals() == [16] * 4
    assert len(network.rows) == 4


def test_a_store_that_lost_its_rows_gets_them_again(
    network: Network, settled: list[Worker]
) -> None:
    network.lose_rows()
    network.advance(4 * TIMES.flush)

    assert network.totals() == [16] * 4
    assert len(network.rows) == 4


def test_a_worker_suspended_for_too_long_is_counted_again_at_once(
    network: Network, settled: list[Worker]
) -> None:
    stopped = settled[0]
    network.workers.remove(stopped)
    network.advance(EXPIRED)
    assert network.totals() == [12, 12, 12]
    network.workers.append(stopped)

    network.seconds_until_right(at_most=HEARD)


def test_a_hint_during_a_query_is_not_lost() -> None:
    count = Count(Network().start("red").count.worker, Process("red"), TIMES)
    count.begin_query(0.0)
    count.wrote(0.0, 0, [])
    count.begin_query(1.0)
    count.hint()
    count.read(1.0, [])

    assert count.is_hinted


def test_idle_workers_query_the_store_once_a_heartbeat(
    network: Network, settled: list[Worker]
) -> None:
    before = network.queries

    network.advance(10 * TIMES.heartbeat)

    assert network.queries - before == 10 * len(settled)


def test_many_changes_are_written_and_read_at_most_ten_times_a_second(
    network: Network, settled: list[Worker]
) -> None:
    before = network.queries

    for _ in range(1000):
        settled[0].count.own += 1
        network.advance(0.001)

    assert network.queries - before <= len(settled) * 11


def test_an_unavailable_store_is_tried_twice_a_second(
    network: Network, settled: list[Worker]
) -> None:
    network.cut_off(settled[0])
    network.advance(TIMES.heartbeat)
    before = network.queries

    network.advance(TIMES.heartbeat)

    queries = network.queries - before - 3
    assert queries == pytest.approx(TIMES.heartbeat / TIMES.retry, abs=1)


def test_many_workers_announce_their_changes_less_often() -> None:
    one = Network().start("red")
    one.count.read(
        0.0,
        [
            Lease(Network().start("blue").count.worker, Process("blue"), 1, 10.0)
            for _ in range(199)
        ],
    )

    assert one.count.flush_seconds == 1.0


class Churn(RuleBasedStateMachine):
    """Joins, leaves, crashes, partitions and returns, in any order.

    ``right_by`` is the time when every count has to be right, if nothing else happens.
    """

    workers = Bundle("workers")

    @initialize(machine=st.sampled_from(MACHINES))
    def begin(self, machine: str) -> None:
        self.network = Network()
        self.right_by = 0.0
        self.start(machine, 0.0)

    def promise(self, seconds: float) -> None:
        """Each change is announced on the bus, or else read at the next heartbeat."""
        if not all(worker.has_bus for worker in self.network.workers):
            seconds += TIMES.heartbeat
        self.right_by = max(self.right_by, self.network.now + seconds)

    def lives(self, worker: Worker) -> bool:
        return worker in self.network.workers

    @rule(target=workers, machine=st.sampled_from(MACHINES), ahead=st.floats(-9, 9))
    def start(self, machine: str, ahead: float) -> Worker:
        worker = self.network.start(machine, ahead)
        self.promise(HEARD)
        return worker

    @rule(worker=workers, sockets=st.integers(1, 1000))
    def join(self, worker: Worker, sockets: int) -> None:
        if self.lives(worker):
            worker.count.own += sockets
            self.promise(HEARD)

    @rule(worker=workers, part=st.floats(0, 1))
    def leave(self, worker: Worker, part: float) -> None:
        if self.lives(worker):
            worker.count.own -= int(worker.count.own * part)
            self.promise(HEARD)

    @rule(worker=consumes(workers))
    def stop(self, worker: Worker) -> None:
        if self.lives(worker):
            # A lease that cannot be removed has to expire.
            has_store = worker.has_store
            self.network.stop(worker)
            self.promise(HEARD if has_store else EXPIRED + HEARD)

    @rule(worker=consumes(workers))
    def kill(self, worker: Worker) -> None:
        if self.lives(worker):
            self.network.kill(worker)
            self.promise(EXPIRED + HEARD)

    @rule(machine=st.sampled_from(MACHINES))
    def lose_machine(self, machine: str) -> None:
        for worker in list(self.network.workers):
            if worker.process.machine == machine:
                self.network.kill(worker)
        self.promise(EXPIRED + HEARD)

    @rule(worker=workers)
    def lose_store(self, worker: Worker) -> None:
        if self.lives(worker):
            self.network.cut_off(worker)

    @rule(worker=workers)
    def find_store(self, worker: Worker) -> None:
        if self.lives(worker):
            self.network.connect(worker)
            self.promise(TIMES.retry + HEARD)

    @rule(worker=workers, has_bus=st.booleans())
    def change_bus(self, worker: Worker, has_bus: bool) -> None:
        if self.lives(worker):
            # Changes that the bus did not announce are now read only at the heartbeat.
            self.network.set_bus(worker, has_bus)
            self.promise(TIMES.heartbeat + HEARD)

    @rule()
    def crash_store(self) -> None:
        self.network.lose_rows()
        # Without the bus, all have written after one heartbeat, and read after two.
        self.promise(TIMES.heartbeat + 2 * HEARD)

    @rule(seconds=st.one_of(st.floats(0, 0.3), st.floats(0, 15)))
    def wait(self, seconds: float) -> None:
        self.network.advance(seconds)

    @invariant()
    def every_count_is_true_in_time(self) -> None:
        # A worker that cannot reach the store has no guarantee until it can again.
        reached = all(worker.has_store for worker in self.network.workers)
        if reached and self.network.now >= self.right_by:
            assert self.network.are_right(), self.network.totals()

    @invariant()
    def own_sockets_always_count(self) -> None:
        for worker in self.network.workers:
            assert worker.count.total >= worker.count.own >= 0

    def teardown(self) -> None:
        for worker in self.network.workers:
            self.network.connect(worker)
        self.network.advance(EXPIRED + 2 * TIMES.heartbeat + 2 * HEARD)
        assert self.network.are_right(), self.network.totals()


TestChurn = Churn.TestCase
TestChurn.settings = settings(
    max_examples=2 * settings().max_examples,
    stateful_step_count=40,
    deadline=None,
)
