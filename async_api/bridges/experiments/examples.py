"""Which experiments are one click away?"""

from async_api.bridges.experiments.registry import EXPERIMENTS, Ready
from async_api.bridges.forms import DEFAULTS
from async_api.bridges.question import Question


def examples() -> list[Ready]:
    """Each experiment as it says most, within a few seconds."""
    other_threads = Question(
        DEFAULTS.sleep_seconds, DEFAULTS.calls, False, DEFAULTS.at_once
    )
    return [
        Ready(experiment, question)
        for experiment in EXPERIMENTS.values()
        for question in (DEFAULTS, other_threads)
        if question is DEFAULTS or "thread_sensitive" in experiment.parameters
    ]
