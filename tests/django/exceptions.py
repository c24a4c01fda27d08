"""Django's tests that our classes are expected to fail, with the reasons.

These would be tests that require a thread where our classes use none.
"""

EXCEPTIONS: dict[str, str] = {}
