"""The process that sends: its schedule, its recording, and the pipes to its parent.

Imports `plan`, `wire` and `recording`.
"""
