"""Who may read and write, and how often: tokens, sessions of staff, rate limits.

Imports `models`.
"""
