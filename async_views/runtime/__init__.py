"""What any asynchronous Django site would want. Each room below has one part of it.

Nothing here imports an application or the site's settings module. Among the rooms,
imports point one way: `asgi` and `waiting` know none but themselves, `views` may know
all others.
"""
