"""Serving of static files by the gateway, before Django.

A worker keeps all of them in memory, compressed once at its start, so that a request opens
no file and needs no thread. They should be parts of pages; large downloads belong
elsewhere. Under DEBUG a file is read at each request, so that an edited one is shown on the
next reload.
"""

import os
from collections.abc import Callable, Iterable
from functools import cache
from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import SuspiciousFileOperation
from django.core.handlers.wsgi import get_path_info

from async_views.runtime.asgi.types import Application, Receive, Scope, Send
from async_views.runtime.handler.security_headers import asgi_security_headers
from async_views.runtime.static.memory_file import (
    MemoryFile,
    compress,
    memory_file,
    respond,
)
from async_views.runtime.static.static_storage import HashedStaticFiles

REVALIDATED = "no-cache"
FOR_AN_HOUR = "public, max-age=3600"
FOR_EVER = "public, max-age=31536000, immutable"

CONSIDERED = {
    name.encode(): name
    for name in (
        "accept-encoding",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "range",
    )
}

Find = Callable[[str], MemoryFile | None]
WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def static_files_asgi(application: Application) -> Application:
    find = finder()

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        file = find(scope["path"])
        if file is None:
            await application(scope, receive, send)
            return
        fields: dict[str, str] = {}
        for name, value in scope["headers"]:
            if name in CONSIDERED:
                key, text = CONSIDERED[name], value.decode("latin-1")
                fields[key] = f"{fields[key]},{text}" if key in fields else text
        given = respond(file, scope["method"], fields)
        await send(
            {
                "type": "http.response.start",
                "status": given.status,
                "headers": given.headers,
            }
        )
        await send({"type": "http.response.body", "body": given.body})

    return serve


def static_files_wsgi(application: WsgiApplication) -> WsgiApplication:
    find = finder()

    def serve(
        environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        file = find(get_path_info(environ))
        if file is None:
            return application(environ, start_response)
        fields = {
            name: environ[variable]
            for name in CONSIDERED.values()
            if (variable := f"HTTP_{name.upper().replace('-', '_')}") in environ
        }
        given = respond(file, environ["REQUEST_METHOD"], fields)
        start_response(
            f"{given.status} {HTTPStatus(given.status).phrase}",
            [(name.decode(), value.decode()) for name, value in given.headers],
        )
        return [given.body]

    return serve


def finder() -> Find:
    """The function that finds a file by the path of its URL."""
    return look_up if settings.DEBUG else load_all().get


def load_all() -> dict[str, MemoryFile]:
    """Every static file by the path of its URL."""
    storage = cast(HashedStaticFiles, staticfiles_storage)
    common = asgi_security_headers()
    # Most files have two names for the same content.
    compress_once = cache(compress)
    return {
        settings.STATIC_URL + name: memory_file(
            name,
            file.content,
            compress_once(file.content),
            file.modified,
            FOR_EVER if file.hashed else FOR_AN_HOUR,
            common,
        )
        for name, file in storage.collected.items()
    }


def look_up(path: str) -> MemoryFile | None:
    """The file as it is on disk now. Blocks, which does not matter under DEBUG."""
    if not path.startswith(settings.STATIC_URL):
        return None
    name = path.removeprefix(settings.STATIC_URL)
    try:
        found = finders.find(name)
    except SuspiciousFileOperation:
        return None
    if found is None or not os.path.isfile(found):
        return None
    with open(found, "rb") as file:
        content, modified = file.read(), os.fstat(file.fileno()).st_mtime
    return memory_file(
        name, content, None, modified, REVALIDATED, asgi_security_headers()
    )
