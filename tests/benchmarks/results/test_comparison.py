"""Comparison tables show the measured numbers."""

from benchmarks.results.comparison import as_markdown, as_text
from benchmarks.servers.peers import BRANDS, BRANDS_ALONE, SITE, STARLETTE_ASYNCPG
from tests.benchmarks.results.sample_results import RESULTS, result


def test_a_row_has_medians_extremes_ratios_and_the_errors_of_all_rounds() -> None:
    django = as_text(RESULTS).splitlines()[3]

    assert [cell.strip() for cell in django.split("  ") if cell] == [
        "Django, ASGI",
        "1,000",
        "2,250 (2,000 to 2,500)",
        "1.00",
        "50.00",
        "7",
        "2 ms",
        "30 ms",
        "6",
        "50.0 MB",
    ]


def test_each_route_has_its_table_and_the_goals_come_last() -> None:
    lines = as_text(RESULTS).splitlines()

    assert [line for line in lines if line.endswith(":")] == ["hello:", "orm:"]
    assert lines[-1] == (
        "CPU of orm, relative to Django, ASGI: 0.60 (0.50 to 0.70), goal at most 0.5: missed"
    )


def test_a_ratio_to_a_peer_that_was_not_measured_is_left_out() -> None:
    text = as_text([result(SITE, 200)])

    assert "relative to" not in text
    assert "1.00" not in text


def test_a_route_is_compared_with_the_starlette_peer_that_has_it() -> None:
    text = as_text(
        [result(STARLETTE_ASYNCPG, 50, route=BRANDS), result(SITE, 20, route=BRANDS)]
    )

    assert "relative to Starlette + asyncpg" in text
    assert "0.40" in text


def test_an_unusual_number_of_connections_is_shown_with_the_route() -> None:
    results = [result(SITE, 200, route=BRANDS_ALONE), result(SITE, 200, route=BRANDS)]

    lines = as_markdown(results).splitlines()

    assert "`brands-alone`, 1 connection:" in lines
    assert "`brands`:" in lines


def test_a_document_gets_the_same_cells() -> None:
    lines = as_markdown(RESULTS).splitlines()

    columns = [line.count("|") for line in lines if line.startswith("|")]
    assert columns == [11] * 5 + [10] * 4
    assert (
        "| Starlette | 1,000 | 45 (40 to 50) | 0.02 | 1.00 | 7 | 2 ms | 30 ms | 0 | 50.0 MB |"
        in lines
    )
    assert lines[-1].startswith("- CPU of orm")
