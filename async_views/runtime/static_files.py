"""Who answers for the static files? The gateway, before Django is asked.

They are found where Django's finders look (each app's `static` folder), once, when the
worker starts: nothing has to be collected before the site can run. Under DEBUG they are
looked up at each request, so that an edited file shows at the next reload.
"""

from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from servestatic import ServeStatic, ServeStaticASGI
from servestatic.base import ServeStaticBase

from async_views.runtime.asgi_types import Application, Receive, Scope, Send
from async_views.runtime.security_headers import add_security_headers

MAX_AGE_SECONDS = 60 * 60

Server = TypeVar("Server", bound=ServeStaticBase)


def static_files_asgi(application: Application) -> Application:
    # Same shapes, other names: servestatic uses asgiref's own types.
    files = cast(Application, stocked(ServeStaticASGI(application, **options())))

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        # Under DEBUG servestatic asks the disk, on a thread, about every path it sees.
        is_static = scope["path"].startswith(settings.STATIC_URL)
        await (files if is_static else application)(scope, receive, send)

    return answer


def static_files_wsgi(application: Any) -> ServeStatic:
    return stocked(ServeStatic(application, **options()))


def options() -> dict[str, Any]:
    return {
        "autorefresh": settings.DEBUG,
        "max_age": 0 if settings.DEBUG else MAX_AGE_SECONDS,
        "allow_all_origins": False,
        "add_headers_function": add_security_headers,
    }


def stocked(server: Server) -> Server:
    for finder in get_finders():
        for _, storage in getattr(finder, "storages", {}).items():
            server.add_files(storage.location, prefix=settings.STATIC_URL)
    return server
