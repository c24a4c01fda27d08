"""Experiments that measure what blocking code does to asynchronous code.

Imports `drawing` for its timeline.
"""
