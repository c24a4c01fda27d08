"""What is asked of an experiment?"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """Each experiment reads the numbers that it is about."""

    sleep_seconds: float
    calls: int
    thread_sensitive: bool
    at_once: int  # how many calls a semaphore lets in
