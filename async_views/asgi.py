"""The ASGI application: what handles each kind of connection."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "async_views.settings")
django.setup(set_prefix=False)

# Django has to be set up before these can read its settings.
from django.conf import settings

from async_api.online.conversation import Conversation
from async_api.online.presence import presence
from async_views.runtime.asgi.access_log import AccessLog
from async_views.runtime.asgi.body_limit import BodyLimit
from async_views.runtime.asgi.forwarded import Forwarded
from async_views.runtime.asgi.lifespan import Lifespan
from async_views.runtime.asgi.routing import ProtocolRouter, WebSocketRoutes
from async_views.runtime.handler.asgi_handler import Handler
from async_views.runtime.handler.request_content import CheckedRequest
from async_views.runtime.handler.security_headers import asgi_security_headers
from async_views.runtime.postgres import bus, database
from async_views.runtime.postgres.pending_migrations import required_migrations
from async_views.runtime.static.static_files import static_files_asgi
from async_views.runtime.views.problems import told_before_django
from catalog.reading.reads import reads
from catalog.writing.batched_inserts import batched_inserts

# Read before the first request waits for it.
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
            "bus": lambda state: bus.bus(),
            "online": lambda state: presence(state["database"], state["bus"]),
            "catalog": lambda state: reads(state["database"].connection),
            "batched_inserts": lambda state: batched_inserts(
                state["database"].connection
            ),
        }
    ),
)

# Outermost, because everything inside it, such as the log, reads the client's address.
application = Forwarded(routes, settings.TRUSTED_PROXIES)
