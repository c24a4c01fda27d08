"""Which of Django's tests do our classes rightly fail, and why?

Those that pin a thread on purpose, where it is the point of ours to need none.
"""

EXCEPTIONS: dict[str, str] = {}
