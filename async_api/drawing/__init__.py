"""Parts of pictures that templates draw: axes, bars, durations, text equivalents.

Imports no other part of `async_api`.
"""
