"""How is a time written for people?"""


def duration(microseconds: float, digits: int = 3) -> str:
    """A time as a person reads it: "640 µs", "12.3 ms", "1.25 s"."""
    # Rounded before the unit is chosen, else 999.6 µs would read "1000 µs".
    rounded = float(f"{microseconds:.{digits}g}")
    if rounded >= 1_000_000:
        return f"{rounded / 1_000_000:g} s"
    if rounded >= 1_000:
        return f"{rounded / 1_000:g} ms"
    return f"{rounded:g} µs"
