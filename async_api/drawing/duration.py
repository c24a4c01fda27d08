"""Times, written for people."""


def duration(microseconds: float, digits: int = 3) -> str:
    """A time as a person reads it: "640 µs", "12.3 ms", "1.25 s"."""
    # Rounded before the unit is chosen, else 999.6 µs would read "1000 µs".
    rounded = float(f"{microseconds:.{digits}g}")
    if rounded >= 1_000_000:
        return f"{rounded / 1_000_000:g} s"
    if rounded >= 1_000:
        return f"{rounded / 1_000:g} ms"
    return f"{rounded:g} µs"


def duration_range(lower: float, upper: float) -> str:
    """Such as "6–8 ms", "0–5 ms" and "800 µs – 1 ms"."""
    first, last = duration(lower, 6), duration(upper, 6)
    value, _, unit = first.partition(" ")
    if lower == 0 or last.endswith(f" {unit}"):
        return f"{value}–{last}"
    return f"{first} – {last}"
