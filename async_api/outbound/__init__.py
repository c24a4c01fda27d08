"""What every client of ours asks before it dials: is this a URL, and may it be dialled?

Targets, the guard and its addresses, lookups of names, and the kinds of failure. No HTTP
client is imported here, nor any other part of `async_api`.
"""
