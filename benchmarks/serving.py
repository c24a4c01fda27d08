"""Measures the cost of a request to this site and its peers. Run by `make bench`."""

import argparse
import os
import sys

from async_views.runtime.postgres.embedded import EmbeddedPostgresError
from benchmarks.clients.run import RunFailed
from benchmarks.clients.wrk import WrkMissing, require_wrk
from benchmarks.measuring.turns import results
from benchmarks.options import rounds_parser
from benchmarks.results.chart import chart
from benchmarks.results.comparison import as_markdown, as_text
from benchmarks.results.document import with_block
from benchmarks.servers.peers import CONNECTIONS, PEERS, ROUTES, rows_of
from benchmarks.servers.processes import TooFewCores, take_one_core
from benchmarks.servers.server import CHECKOUT, ServerFailed

DOCUMENT = CHECKOUT / "docs" / "benchmark.md"
PICTURE = CHECKOUT / "docs" / "benchmark.svg"


def main() -> int:
    """Returns exit status 0 if the measurement completed, and 2 if it could not run."""
    options = parser().parse_args()
    rows = rows_of(options.route, options.only)
    if options.write and rows != rows_of([], []):
        print("--write requires a run of all routes and peers.", file=sys.stderr)
        return 2
    if not rows:
        print("None of these peers has these routes.", file=sys.stderr)
        return 2
    try:
        require_wrk()
        core = take_one_core()
        conditions = (
            f"{CONNECTIONS} connections unless noted, {options.rounds} rounds of {options.seconds} s; "
            f"load average before: {os.getloadavg()[0]:.2f} (0 is best)"
        )
        print(conditions, end="\n\n", flush=True)
        measured = results(rows, options.rounds, options.seconds, core)
    except (
        WrkMissing,
        TooFewCores,
        RunFailed,
        ServerFailed,
        EmbeddedPostgresError,
    ) as error:
        print(error, file=sys.stderr)
        return 2
    print(as_text(measured))
    if options.write:
        block = f"{conditions}\n\n{as_markdown(measured)}"
        DOCUMENT.write_text(with_block(DOCUMENT.read_text(), "benchmark", block))
        PICTURE.write_text(chart(measured))
    return 0


def parser() -> argparse.ArgumentParser:
    options = rounds_parser("benchmarks.serving", __doc__)
    options.add_argument(
        "--only",
        choices=[peer.name for peer in PEERS],
        action="append",
        default=[],
        help="a peer to measure; may be repeated",
    )
    options.add_argument(
        "--route",
        choices=[route.name for route in ROUTES],
        action="append",
        default=[],
        help="a route to measure; may be repeated",
    )
    options.add_argument(
        "--write",
        action="store_true",
        help=f"replace the tables in {DOCUMENT.name}, and {PICTURE.name}",
    )
    return options


if __name__ == "__main__":
    sys.exit(main())
