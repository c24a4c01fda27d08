"""Reads: answered by the worker's pool, together with whoever asks the same, in pages.

Imports `documents`.
"""
