"""Who is compared, and by which routes? A row each."""

from dataclasses import dataclass

from benchmarks.server import Server

APPLICATIONS = "benchmarks.applications"


@dataclass(frozen=True, slots=True)
class Peer:
    """A framework, or this site, under a server with one worker."""

    name: str  # as the command's --only has it
    title: str
    server: Server


@dataclass(frozen=True, slots=True)
class Row:
    """A route of a peer. All rows of one route give the same answer."""

    route: str
    peer: Peer
    path: str


Environment = tuple[tuple[str, str], ...]


def under_uvicorn(
    application: str, *options: str, environment: Environment = ()
) -> Server:
    """As quick as uvicorn is: its parser and event loop in C, and no access log."""
    arguments = (
        *("-m", "uvicorn", application, "--port={port}", "--workers=1"),
        *("--loop=uvloop", "--http=httptools"),
        *("--no-access-log", "--log-level=warning", *options),
    )
    return Server(arguments, environment)


def under_gunicorn(application: str, environment: Environment = ()) -> Server:
    """gunicorn's synchronous worker; without the site's gunicorn.conf.py."""
    arguments = (
        *("-m", "gunicorn", application, "--bind=127.0.0.1:{port}", "--workers=1"),
        *("--config=/dev/null", "--no-control-socket", "--log-level=warning"),
    )
    return Server(arguments, environment)


def by_itself(module: str) -> Server:
    return Server(("-m", module, "{port}"))


def as_in_production(environment: Environment) -> Server:
    """By the site's gunicorn.conf.py; but its worker is not replaced now and then."""
    return Server(("-m", "gunicorn"), (*environment, ("MAX_REQUESTS", "0")))


def settings(module: str) -> Environment:
    return (("DJANGO_SETTINGS_MODULE", f"{APPLICATIONS}.{module}"),)


BARE = Peer(
    "bare", "a bare ASGI function", under_uvicorn(f"{APPLICATIONS}.bare:application")
)
STARLETTE = Peer(
    "starlette", "Starlette", under_uvicorn(f"{APPLICATIONS}.starlette:application")
)
FASTAPI = Peer(
    "fastapi", "FastAPI", under_uvicorn(f"{APPLICATIONS}.fastapi:application")
)
AIOHTTP = Peer("aiohttp", "aiohttp", by_itself(f"{APPLICATIONS}.aiohttp"))
FLASK = Peer("flask", "Flask", under_gunicorn(f"{APPLICATIONS}.flask:application"))
DJANGO = Peer(
    "django",
    "Django, ASGI",
    under_uvicorn(
        "django.core.asgi:get_asgi_application",
        "--factory",
        environment=settings("django_settings"),
    ),
)
DJANGO_WSGI = Peer(
    "django-wsgi",
    "Django, WSGI",
    under_gunicorn(
        "django.core.wsgi:get_wsgi_application()", settings("django_settings")
    ),
)
SITE = Peer("site", "this site", as_in_production(settings("site_settings")))
SITE_WITHOUT_MIDDLEWARE = Peer(
    "site-without-middleware",
    "this site, no middleware",
    as_in_production(settings("site_without_middleware")),
)

HELLO, TIME, ORM = "hello", "time", "orm"

ROWS = (
    Row(HELLO, BARE, "/hello"),
    Row(HELLO, STARLETTE, "/hello"),
    Row(HELLO, FASTAPI, "/hello"),
    Row(HELLO, AIOHTTP, "/hello"),
    Row(HELLO, FLASK, "/hello"),
    Row(HELLO, DJANGO, "/hello"),
    Row(HELLO, DJANGO_WSGI, "/sync/hello"),
    Row(HELLO, SITE, "/hello"),
    Row(HELLO, SITE_WITHOUT_MIDDLEWARE, "/hello"),
    Row(TIME, BARE, "/time"),
    Row(TIME, STARLETTE, "/time"),
    Row(TIME, FASTAPI, "/time"),
    Row(TIME, AIOHTTP, "/time"),
    Row(TIME, FLASK, "/time"),
    Row(TIME, DJANGO, "/time"),
    Row(TIME, DJANGO_WSGI, "/sync/time"),
    Row(TIME, SITE, "/time"),
    Row(TIME, SITE_WITHOUT_MIDDLEWARE, "/time"),
    Row(ORM, DJANGO, "/orm"),
    Row(ORM, SITE, "/orm"),
)
ROUTES = tuple(dict.fromkeys(row.route for row in ROWS))
PEERS = tuple(dict.fromkeys(row.peer for row in ROWS))


def rows_of(routes: list[str], names: list[str]) -> tuple[Row, ...]:
    """The rows of these routes and peers; an empty list means all."""
    return tuple(
        row
        for row in ROWS
        if (not routes or row.route in routes) and (not names or row.peer.name in names)
    )
