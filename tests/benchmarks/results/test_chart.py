"""The chart shows the numbers to scale, in a light and a dark scheme."""

from xml.etree import ElementTree

from benchmarks.results.chart import chart
from benchmarks.servers.peers import BARE, DJANGO, ORM, SITE
from tests.benchmarks.results.sample_results import RESULTS, result

SVG = "{http://www.w3.org/2000/svg}"


def test_bars_have_the_lengths_of_the_medians_across_all_routes() -> None:
    image = ElementTree.fromstring(
        chart(
            (result(BARE, 25), result(DJANGO, 900, 1_000), result(SITE, 500, route=ORM))
        )
    )

    bare, django, site = (
        float(bar.attrib["width"]) for bar in image.iter(f"{SVG}rect")
    )
    assert round(django / bare) == 38
    assert round(site / bare) == 20


def test_the_spread_goes_from_least_to_most() -> None:
    image = ElementTree.fromstring(chart((result(DJANGO, 900, 1_000, 800),)))

    [bar], [spread] = image.iter(f"{SVG}rect"), image.iter(f"{SVG}line")
    end = float(bar.attrib["x"]) + float(bar.attrib["width"])
    assert float(spread.attrib["x1"]) < end < float(spread.attrib["x2"])


def test_everything_lies_within_the_image() -> None:
    image = ElementTree.fromstring(chart(RESULTS))

    _, _, width, height = map(float, image.attrib["viewBox"].split())
    for text in image.iter(f"{SVG}text"):
        assert 0 < float(text.attrib["x"]) < width - 30
        assert 0 < float(text.attrib["y"]) < height


def test_it_has_a_title_and_colours_for_a_dark_scheme() -> None:
    image = ElementTree.fromstring(chart(RESULTS))

    title, style = image.find(f"{SVG}title"), image.find(f"{SVG}style")
    assert title is not None and title.text
    assert style is not None and "prefers-color-scheme: dark" in (style.text or "")
