"""Experiments that show, measured, what blocking code does to asynchronous code.

Imports `drawing` for its timeline.
"""
