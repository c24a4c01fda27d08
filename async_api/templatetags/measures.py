"""Template filters for times and sizes."""

from django import template

from async_api.drawing.duration import duration

register = template.Library()
register.filter("duration", duration)


@register.filter
def size(number_of_bytes: int) -> str:
    """`512 B`, `3.9 KiB`, `10.0 MiB`."""
    value = float(number_of_bytes)
    unit = "B"
    for larger in ("KiB", "MiB", "GiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
