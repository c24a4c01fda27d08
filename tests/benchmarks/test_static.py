"""The benchmark of static files prints a table of its measurements."""

from benchmarks.servers.server import Serving
from benchmarks.static import Measured, as_text

SERVING = Serving(1, "http://127.0.0.1:1")


def test_each_server_is_a_row_of_medians() -> None:
    measured = [
        Measured("this site", SERVING, 90_000_000, [50, 60, 900], [40], [70]),
        Measured("ServeStatic", SERVING, 91_000_000, [150], [140], [80]),
    ]

    head, ours, theirs = as_text(measured).splitlines()

    assert head.split() == ["worker", "a", "file", "304", "/time"]
    assert ours.split()[2:] == "90.0 MB 60 µs 40 µs 70 µs".split()
    assert theirs.endswith("80 µs")
