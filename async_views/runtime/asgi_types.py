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

# An extension of ours to the scope: () -> bool, whether `receive` would have to wait.
WOULD_WAIT = "async_views.receive.would_wait"
