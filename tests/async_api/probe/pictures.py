"""Helpers for the tests of a probe's pictures."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from django.template import Context, Engine
from hypothesis import strategies as st

from async_api.drawing.timeline import Timeline
from async_api.outbound.failures import FailureKind
from async_api.probe.distribution import Distribution
from async_api.probe.measurement import Sample

MS = 1_000
ENGINE = Engine(
    dirs=[str(Path(__file__).parents[3] / "templates")],
    libraries={"l10n": "django.templatetags.l10n"},
)

times = st.integers(min_value=0, max_value=60_000_000) | st.integers(0, 50)
statuses = st.sampled_from([101, 200, 204, 302, 304, 404, 429, 500, 503])
answers = st.builds(Sample, start=times, time=times, status=statuses)
failures = st.builds(Sample, start=times, time=times, kind=st.sampled_from(FailureKind))
sample_lists = st.lists(answers | failures, max_size=60)


def answer(time: int, status: int = 200, start: int = 0) -> Sample:
    return Sample(start=start, time=time, status=status)


def failure(time: int, start: int = 0) -> Sample:
    return Sample(start=start, time=time, kind=FailureKind.TIMEOUT)


def a_thousand() -> list[Sample]:
    return [
        answer(50 * MS + number * 97 % 40_000, start=number // 200 * 90_000 + number)
        for number in range(990)
    ] + [failure(300, start=number * 31_000) for number in range(10)]


@dataclass(frozen=True)
class Page:
    """A rendered picture, as text and as elements."""

    text: str
    root: ElementTree.Element

    def count(self, path: str) -> int:
        return len(self.root.findall(path))

    def words(self, path: str) -> list[str]:
        return ["".join(each.itertext()).strip() for each in self.root.findall(path)]


def render(name: str, figure: Distribution | Timeline) -> Page:
    template = ENGINE.get_template(f"probe/{name}.svg.html")
    text = template.render(Context({name: figure}))
    return Page(text, ElementTree.fromstring(text))
