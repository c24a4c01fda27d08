"""Writes: each in one transaction, once for each Idempotency-Key, with bounded waits.

Imports `access`, `documents`, `models` and `reading`.
"""
