"""What answers what, under ASGI."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "async_views.settings")
django.setup(set_prefix=False)

# Django has to be set up before these can read its settings.
from django.conf import settings  # noqa: E402

from async_api.online.conversation import Conversation  # noqa: E402
from async_api.online.presence import presence  # noqa: E402
from async_views.runtime import bus, database, rate_limit  # noqa: E402
from async_views.runtime.access_log import AccessLog  # noqa: E402
from async_views.runtime.body_limit import BodyLimit  # noqa: E402
from async_views.runtime.forwarded import Forwarded  # noqa: E402
from async_views.runtime.handler import Handler  # noqa: E402
from async_views.runtime.lifespan import Lifespan  # noqa: E402
from async_views.runtime.pending_migrations import required_migrations  # noqa: E402
from async_views.runtime.problems import told_before_django  # noqa: E402
from async_views.runtime.request_content import CheckedRequest  # noqa: E402
from async_views.runtime.routing import ProtocolRouter, WebSocketRoutes  # noqa: E402
from async_views.runtime.security_headers import asgi_security_headers  # noqa: E402
from async_views.runtime.static_files import static_files_asgi  # noqa: E402
from catalog.insertions import insertions  # noqa: E402
from catalog.reads import reads  # noqa: E402

# Read before anybody waits for an answer.
required_migrations()

handler = Handler(threads=settings.REQUEST_THREADS)
handler.request_class = CheckedRequest

routes = ProtocolRouter(
    http=AccessLog(
        BodyLimit(
            static_files_asgi(handler),
            limit=settings.BODY_BYTES,
            larger={"/admin/": settings.ADMIN_BODY_BYTES},
            headers=asgi_security_headers(),
            tell=told_before_django,
        )
    ),
    websocket=WebSocketRoutes(
        {"/counter": Conversation(headers=asgi_security_headers())},
        headers=asgi_security_headers(),
    ),
    lifespan=Lifespan(
        {
            "database": lambda state: database.pool(),
            "rate_limits": lambda state: rate_limit.shared(state["database"]),
            "bus": lambda state: bus.bus(),
            "online": lambda state: presence(state["database"], state["bus"]),
            "catalog": lambda state: reads(state["database"].connection),
            "insertions": lambda state: insertions(state["database"].connection),
        }
    ),
)

# First of all: everything behind it, such as the log, asks who asked.
application = Forwarded(routes, settings.TRUSTED_PROXIES)
