"""An outage is logged once when it begins and once when it ends."""

import logging

import pytest

from async_views.runtime.postgres.outage import Outage

logger = logging.getLogger(__name__)


def test_each_outage_is_logged_in_two_lines(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage(logger, down="Down, so it is slow", up="Up again.")

    outage.end()
    for _ in range(2):
        outage.begin(OSError("no\nanswer"))
        outage.begin(OSError("no answer"))
        outage.end()
        outage.end()

    assert (
        caplog.messages == ["Down, so it is slow: OSError: no answer", "Up again."] * 2
    )
