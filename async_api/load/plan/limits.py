"""The limits of an installation that every plan has to keep, from its settings."""

from dataclasses import dataclass, fields

# Recordings keep times as int32 microseconds, 2,147 seconds at most. The last request of a
# run can wait for its deadline, a connection and its response after the run's seconds:
# with the maxima of these below, that is 330 seconds more.
MAX_SECONDS = 1800
MAX_DEADLINE_SECONDS = 120
MAX_CONNECT_SECONDS = 30
MAX_RESPONSE_SECONDS = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLimits:
    """The largest plan that is accepted. The caller hands in the values of its settings.

    Raises ValueError, naming the setting, for a value that cannot be a limit.
    """

    rate: float  # LOAD_MAX_RATE, requests per second
    seconds: float  # LOAD_MAX_SECONDS, of a run
    connections: int  # LOAD_MAX_CONNECTIONS, open at a time
    requests: int  # LOAD_MAX_REQUESTS, of a run
    body_bytes: int  # LOAD_MAX_BODY_BYTES, of one request

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not value > 0:
                raise ValueError(
                    f"{setting_of(each.name)} is {value!r}; it must be more than 0."
                )
        if self.seconds > MAX_SECONDS:
            raise ValueError(
                f"{setting_of('seconds')} is {self.seconds!r}; it can be at most "
                f"{MAX_SECONDS}, because recordings keep times in 32 bits."
            )


def setting_of(limit: str) -> str:
    """The name of the setting that holds a limit."""
    return f"LOAD_MAX_{limit.upper()}"
