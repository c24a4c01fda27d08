"""The pictures of a probe work for any reader, language and content security policy."""

import re

import pytest
from django.utils import translation
from hypothesis import given, settings

from async_api.drawing.timeline import Timeline
from async_api.probe.distribution import Distribution, distribution
from async_api.probe.measurement import Sample
from async_api.probe.outcome import Outcome
from async_api.probe.timeline import timeline
from tests.async_api.probe.pictures import MS, answer, failure, render, sample_lists
from tests.support.site import ROOT

unhurried = settings(deadline=None)  # a busy machine must not fail the test
STYLES = ROOT / "async_views" / "static" / "site.css"


@unhurried
@given(sample_lists)
def test_a_page_is_well_formed_and_complies_with_the_security_policy(
    samples: list[Sample],
) -> None:
    for page in (
        render("distribution", distribution(samples)),
        render("timeline", timeline(samples, 1)),
    ):
        for element in page.root.iter():
            assert element.tag not in {"style", "script"}
            assert not any(
                name == "style" or name.startswith("on") for name in element.attrib
            )


def test_a_picture_has_a_title_a_description_and_a_table() -> None:
    samples = [answer(11 * MS), answer(12 * MS), failure(1 * MS)]
    figures: dict[str, Distribution | Timeline] = {
        "distribution": distribution(samples),
        "timeline": timeline(samples, 12 * MS),
    }

    for name, figure in figures.items():
        page = render(name, figure)
        picture = page.root.find("svg")
        assert picture is not None
        assert picture.get("role") == "img"
        title, description = (
            picture.get("aria-labelledby"),
            picture.get("aria-describedby"),
        )
        assert page.words(f".//*[@id='{title}']") != [""]
        assert page.words(f".//*[@id='{description}']") == [figure.summary]
        assert page.count("details/table/tbody/tr") == len(figure.table.rows)
        assert page.words(".//th[@scope='col']") == list(figure.table.columns)


@pytest.mark.parametrize("name", ["distribution", "timeline"])
def test_a_locale_with_decimal_commas_gets_the_same_drawing(name: str) -> None:
    samples = [answer(time * MS + 77) for time in range(10, 30)]
    figure: Distribution | Timeline = (
        distribution(samples) if name == "distribution" else timeline(samples, 29_500)
    )

    with translation.override("de"):
        german = render(name, figure).text

    assert german == render(name, figure).text


def test_an_outcome_looks_the_same_in_every_figure() -> None:
    samples = [answer(5), answer(5, status=304), answer(5, status=404)]

    timed = render("timeline", timeline(samples, 5)).root.iter("path")
    spread = render("distribution", distribution(samples)).root.iter("rect")

    drawn = {path.get("class") for path in timed}
    assert drawn == {"success", "redirect", "client_error"}
    assert {rect.get("class") for rect in spread} == {
        f"outcome {each}" for each in drawn
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_outcome_has_its_own_colour_with_enough_contrast(scheme: str) -> None:
    """WCAG 2.2 requires a contrast of 4.5 for text (1.4.3) and 3 for graphics (1.4.11)."""
    light, _, dark = STYLES.read_text().partition("prefers-color-scheme: dark")
    colours = dict(
        re.findall(r"--(\S+): #(\w{6});", light if scheme == "light" else dark)
    )

    outcomes = [colours[outcome.replace("_", "-")] for outcome in Outcome]

    assert len(set(outcomes)) == len(outcomes)
    for colour in outcomes:
        for ground in ("surface", "raised"):
            assert contrast(colour, colours[ground]) >= 4.5, (colour, ground)


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
        for share in (byte / 255 for byte in bytes.fromhex(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
