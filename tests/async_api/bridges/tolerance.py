"""How late a busy machine may be."""

SCHEDULING_SECONDS = 0.25
# uvloop's timers are right to a millisecond, to either side.
TIMER_SECONDS = 0.002


def is_as_predicted(measured: float, predicted: float) -> bool:
    return (
        predicted - TIMER_SECONDS * max(1, predicted * 10)
        <= measured
        < (predicted + SCHEDULING_SECONDS)
    )
