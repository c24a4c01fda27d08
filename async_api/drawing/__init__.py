"""Parts of pictures that templates draw: axes, timelines, durations, text equivalents.

Imports no other part of `async_api`.
"""
