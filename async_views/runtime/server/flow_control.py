"""Flow control with a clock that stops while reading is paused."""

import asyncio
import time

from uvicorn.protocols.http.flow_control import FlowControl


class TimedFlowControl(FlowControl):
    """uvicorn's flow control, which also measures how long reading was paused."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self.paused_at = 0.0
        self.paused_seconds = 0.0

    def pause_reading(self) -> None:
        if not self.read_paused:
            self.paused_at = time.monotonic()
            super().pause_reading()

    def resume_reading(self) -> None:
        if self.read_paused:
            self.paused_seconds += time.monotonic() - self.paused_at
            super().resume_reading()

    def reading_seconds(self) -> float:
        """A clock in seconds that stops while reading is paused."""
        now = self.paused_at if self.read_paused else time.monotonic()
        return now - self.paused_seconds
