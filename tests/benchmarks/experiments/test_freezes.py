"""The expected latency of a frozen target agrees with a simulation of every request."""

from async_api.nearest_rank import nearest_rank
from benchmarks.experiments.freezes import (
    CONNECTIONS,
    RATE,
    SECONDS,
    expected_p95,
)

SERVICE_SECONDS = 0.0001


def simulated(frozen: float, after: float) -> tuple[int, int]:
    """p95 from plan and from send, in microseconds, of requests in the order of the plan."""
    free = [0.0] * CONNECTIONS
    from_plan, from_send = [], []
    for number in range(RATE * SECONDS):
        planned = number / RATE
        connection = free.index(min(free))
        sent = max(planned, free[connection])
        ended = sent + SERVICE_SECONDS
        if after <= ended < after + frozen:
            ended = after + frozen + SERVICE_SECONDS
        free[connection] = ended
        from_plan.append(round((ended - planned) * 1_000_000))
        from_send.append(round((ended - sent) * 1_000_000))
    return nearest_rank(sorted(from_plan), 95), nearest_rank(sorted(from_send), 95)


def test_half_a_second_is_expected_of_a_second_in_ten() -> None:
    assert expected_p95(1) == 500_000
    assert expected_p95(1.2) == 700_000


def test_a_simulation_gives_the_same_wherever_the_freeze_begins() -> None:
    for after in (3, 3.003, 3.0099, 5.005):
        from_plan, from_send = simulated(1, after)

        assert abs(from_plan - expected_p95(1)) <= 12_000
        assert from_send < 1_000
