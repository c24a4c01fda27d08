"""Which shapes cross the edge between the server and the site?"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

# Django's handler is typed with these, and fits them; asgiref's own types it does not.
Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

# An extension of ours to the scope: () -> bool, whether the client has sent something, or
# left, since `receive` was last awaited, so that it would not have to wait.
HAS_MESSAGE = "async_views.receive.has_message"
