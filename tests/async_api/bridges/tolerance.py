"""Tolerances for the delays of a busy machine."""

SCHEDULING_SECONDS = 0.25
# uvloop's timers are accurate to a millisecond in either direction.
TIMER_SECONDS = 0.002


def is_as_predicted(measured: float, predicted: float) -> bool:
    return (
        predicted - TIMER_SECONDS * max(1, predicted * 10)
        <= measured
        < (predicted + SCHEDULING_SECONDS)
    )
