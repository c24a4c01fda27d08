"""Users online: the count of open WebSockets, right across processes.

Imports nothing else of `async_api`.
"""
