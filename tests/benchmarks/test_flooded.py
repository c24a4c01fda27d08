"""The benchmark of floods judges the worst flood."""

from benchmarks.flooded import Flooded, as_text


def test_the_worst_of_all_floods_decides() -> None:
    measured = [
        Flooded("chunks", (1_000, 99_000), 0, 1_000_000),
        Flooded("body", (1_000, 101_000), 100_001, 58_000_001),
    ]

    head, chunks, body, *goals = as_text(measured).splitlines()

    assert chunks.split()[0] == "chunks"
    assert body.endswith("+58.0 MB")
    assert [line.rsplit(": ", 1)[1] for line in goals] == ["missed"] * 3
    met = as_text(measured[:1]).splitlines()[-3:]
    assert [line.rsplit(": ", 1)[1] for line in met] == ["met"] * 3
