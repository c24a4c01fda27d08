"""The load generator: sends what a plan says, and reports what happened.

`plan` holds what is asked, `wire` speaks HTTP, `generator` sends in a process of its own,
and `result` computes what it means. Imports `outbound` and `drawing`, and never Django.
"""
