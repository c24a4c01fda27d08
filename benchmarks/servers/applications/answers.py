"""What does every peer answer?"""

from datetime import datetime

HELLO = "Hello"


def current_time() -> dict[str, int | str]:
    """The members of the site's own `/time`.

    Not imported from there: Django would be in every peer's memory.
    """
    now = datetime.now()
    return {
        "month": now.month,
        "day": now.day,
        "time": now.time().isoformat(timespec="microseconds"),
    }
