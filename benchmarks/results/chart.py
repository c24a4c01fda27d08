"""A bar chart of the CPU time per request of each peer."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.clients.run import spread
from benchmarks.measuring.turns import Result
from benchmarks.results.report import count
from benchmarks.servers.peers import SITE, SITE_WITHOUT_MIDDLEWARE

WIDTH = 760
NAMES_END, BARS_BEGIN, BARS_END = 186, 198, 690
LINE, BAR = 26, 16  # heights
HEADING = 38  # of a route, including the space above it

TITLE = "Server CPU, µs per request (less is better)"

# On white and on near black, the contrast is at least 4.5 to 1 for text and 3 to 1 for bars,
# as WCAG 2.2 requires (1.4.3, 1.4.11).
STYLE = """\
text { font: 14px system-ui, sans-serif; fill: #1f2328 }
.heading { font-weight: 600 }
.quiet { fill: #59636e }
.name { text-anchor: end }
.peer { fill: #818b98 }
.site { fill: #0969da }
.spread { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .quiet { fill: #9198a1 }
  .peer { fill: #656c76 }
  .site { fill: #4493f8 }
  .spread { stroke: #f0f6fc }
}"""


@dataclass(frozen=True, slots=True)
class Scale:
    """The linear scale of the bars, from 0 to `most`."""

    most: float

    def x(self, number: float) -> float:
        return BARS_BEGIN + (BARS_END - BARS_BEGIN) * number / self.most


def chart(results: Sequence[Result]) -> str:
    """An SVG image, which follows the reader's preference for a light or dark scheme.

    A bar shows the median of the rounds; the line across its end shows the range.
    """
    parts: list[str] = []
    scale = Scale(max(max(result.cpu) for result in results))
    y = LINE - 4
    for route in dict.fromkeys(result.row.route for result in results):
        those = [result for result in results if result.row.route == route]
        y += HEADING
        parts.append(
            f'<text class="heading" x="{BARS_BEGIN}" y="{y}">{route.name}</text>'
        )
        for result in those:
            y += LINE
            parts.append(bar(result, scale, y))
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + LINE}"'
            f' role="img" aria-labelledby="title">',
            f'<title id="title">{TITLE}</title>',
            f"<style>\n{STYLE}\n</style>",
            f'<text class="quiet" x="{BARS_BEGIN}" y="{LINE - 4}">{TITLE}</text>',
            *parts,
            "</svg>\n",
        )
    )


def bar(result: Result, scale: Scale, y: int) -> str:
    """One line of the chart; `y` is the baseline of its text."""
    cpu = spread(result.cpu)
    peer = result.row.peer
    kind = "site" if peer in (SITE, SITE_WITHOUT_MIDDLEWARE) else "peer"
    top, middle = y - 13, y - 13 + BAR / 2
    least, median, most = map(scale.x, (cpu.least, cpu.median, cpu.most))
    return "\n".join(
        (
            f'<text class="name" x="{NAMES_END}" y="{y}">{escape(peer.title)}</text>',
            f'<rect class="{kind}" x="{BARS_BEGIN}" y="{top}"'
            f' width="{median - BARS_BEGIN:.1f}" height="{BAR}" rx="2"/>',
            f'<line class="spread" x1="{least:.1f}" x2="{most:.1f}"'
            f' y1="{middle}" y2="{middle}"/>',
            f'<text x="{most + 8:.1f}" y="{y}">{count(cpu.median)}</text>',
        )
    )
