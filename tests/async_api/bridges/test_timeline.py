"""An experiment's timeline is correct, and has a text equivalent."""

from pathlib import Path
from xml.etree import ElementTree

from django.template import Context, Engine

from async_api.bridges.executors import Executor, Kind
from async_api.bridges.experiments.experiment import Prediction
from async_api.bridges.experiments.registry import DEFAULTS, EXPERIMENTS, Setup
from async_api.bridges.laboratory import Lag, Result, Stall
from async_api.bridges.recording import Activity, Span
from async_api.bridges.timeline import common_axis, timeline
from async_api.drawing.timeline import Timeline

MS = 1_000
ENGINE = Engine(
    dirs=[str(Path(__file__).parents[3] / "templates")],
    libraries={"l10n": "django.templatetags.l10n"},
)


def span(lane: str, start: int, end: int) -> Span:
    return Span(lane, Activity.BLOCKING, start * MS, end * MS, lane)


def result(
    *spans: Span, stalls: tuple[Stall, ...] = (), wall_time: int = 400
) -> Result:
    return Result(
        Setup(EXPERIMENTS["sync_to_async"], DEFAULTS),
        Prediction(0.4, "Because."),
        Executor(Kind.REQUEST, 1),
        wall_time * MS,
        spans,
        ("1-1",),
        Lag(3 * MS, stalls),
    )


def figure(shown: Result) -> Timeline:
    return timeline(shown, common_axis([shown]))


SERIAL = result(span("a", 0, 200), span("a", 200, 400))
PARALLEL = result(span("a", 0, 400), span("b", 0, 400))


def test_calls_that_take_turns_share_a_lane_and_others_have_their_own() -> None:
    [serial], [parallel] = figure(SERIAL).series, figure(PARALLEL).series

    assert len({bar.y for bar in serial.bars}) == 1
    assert [bar.x for bar in serial.bars] == [0, 50]
    assert len({bar.y for bar in parallel.bars}) == 2
    assert [bar.x for bar in parallel.bars] == [0, 0]


def test_the_first_lane_shows_when_the_event_loop_was_blocked() -> None:
    stall = Stall(100 * MS, 300 * MS)

    drawn = figure(result(span("a", 0, 400), stalls=(stall,)))

    assert [tick.label for tick in drawn.row_ticks] == ["event loop", "a"]
    still = next(each for each in drawn.series if each.kind == Activity.STANDING_STILL)
    assert [(bar.x, bar.y) for bar in still.bars] == [(25, drawn.row_ticks[0].position)]
    assert "was blocked for 200 ms" in drawn.summary


def test_the_lane_of_a_responsive_loop_is_shown_empty() -> None:
    drawn = figure(SERIAL)

    assert drawn.row_ticks[0].label == "event loop"
    assert [each.kind for each in drawn.series] == [Activity.BLOCKING]
    assert "never blocked, and at most 3 ms late" in drawn.summary


def test_two_results_share_the_axis_of_the_longer_one() -> None:
    axis = common_axis([SERIAL, result(span("a", 0, 800), wall_time=800)])

    [each] = timeline(SERIAL, axis).series

    assert axis.upper == 800 * MS
    assert [bar.x for bar in each.bars] == [0, 25]
    assert [marker.position for marker in timeline(SERIAL, axis).markers] == [50]


def test_many_bars_are_summarized_by_lane() -> None:
    spans = [span(f"board {number % 3}", number, number + 1) for number in range(30)]

    table = figure(result(*spans)).table

    assert table.columns == ("Lane", "Bars", "First start", "Last end", "Busy")
    assert table.rows[0] == ("board 0", "10", "0 µs", "28 ms", "10 ms")
    assert len(table.rows) == 3


def test_the_picture_has_a_title_a_description_and_a_table() -> None:
    drawn = figure(PARALLEL)
    context = {
        "timeline": drawn,
        "id": "one",
        "title": "What ran when",
        "beneath": "since it began",
    }

    text = ENGINE.get_template("timeline.svg.html").render(Context(context))

    root = ElementTree.fromstring(text)
    picture = root.find("svg")
    assert picture is not None
    assert picture.get("role") == "img"
    title = root.find(f".//*[@id='{picture.get('aria-labelledby')}']")
    summary = root.find(f".//*[@id='{picture.get('aria-describedby')}']")
    assert title is not None and title.text == "What ran when"
    assert summary is not None and summary.text == drawn.summary
    assert len(root.findall("details/table/tbody/tr")) == len(drawn.table.rows) == 2
    assert not any("style" in element.attrib for element in root.iter())
