"""Django's tests that our classes are expected to fail, with the reasons.

Such tests would require a thread where our classes use none.
"""

EXCEPTIONS: dict[str, str] = {}
