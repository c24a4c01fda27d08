"""The result of an experiment as JSON."""

from dataclasses import asdict
from typing import Any

from async_api.bridges.laboratory import Result
from async_api.bridges.surroundings import VERSIONS


def as_json(result: Result) -> dict[str, Any]:
    """Totals in seconds; starts, times and lags in microseconds."""
    experiment, parameters = result.setup.experiment, result.setup.parameters
    values = {
        "sleep_time": parameters.sleep_seconds,
        "num_calls": parameters.calls,
        "thread_sensitive": parameters.thread_sensitive,
        "at_once": parameters.at_once,
    }
    return {
        "experiment": experiment.name,
        **{name: values[name] for name in experiment.parameter_names},
        "seconds": result.seconds,
        "predicted_seconds": round(result.prediction.seconds, 6),
        "reason": result.prediction.reason,
        "executor": asdict(result.executor),
        "threads": result.threads,
        "event_loops": result.event_loops,
        "lag": asdict(result.lag) if result.lag else None,
        "calls": [
            {
                "lane": span.lane,
                "activity": span.activity,
                "start": span.start,
                "time": span.time,
                "thread": span.thread,
            }
            for span in result.spans
        ],
        "versions": VERSIONS,
    }
