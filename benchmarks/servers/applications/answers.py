"""The responses that all peers have in common."""

from datetime import datetime

HELLO = "Hello"


def current_time() -> dict[str, int | str]:
    """The members of the site's `/time`.

    It is not imported from the site, because that would load Django into every peer.
    """
    now = datetime.now()
    return {
        "month": now.month,
        "day": now.day,
        "time": now.time().isoformat(timespec="microseconds"),
    }
