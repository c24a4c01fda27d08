"""Logging of outages: one line when a service goes down, one when it is up again."""

import logging


class Outage:
    """One service's outages. ``down`` and ``up`` are what the log says, once each."""

    def __init__(self, logger: logging.Logger, *, down: str, up: str) -> None:
        self.logger = logger
        self.down = down
        self.up = up
        self.is_on = False

    def begin(self, error: Exception) -> None:
        """The service failed, perhaps not for the first time."""
        if not self.is_on:
            reason = " ".join(str(error).split())
            self.logger.warning("%s: %s: %s", self.down, type(error).__name__, reason)
        self.is_on = True

    def end(self) -> None:
        """The service works, perhaps as before."""
        if self.is_on:
            self.logger.warning(self.up)
        self.is_on = False
