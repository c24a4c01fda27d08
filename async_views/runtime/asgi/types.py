"""The types of the ASGI interface."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

# Django's handler matches these types, but not asgiref's own.
Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

# Our extension to the scope, () -> bool: whether the client has sent something, or
# disconnected, since `receive` was last awaited, so that `receive` would not wait.
HAS_MESSAGE = "async_views.receive.has_message"
