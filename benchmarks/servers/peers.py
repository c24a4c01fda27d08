"""The peers that are compared, and the routes of each."""

from dataclasses import dataclass

from benchmarks.servers.server import Server

APPLICATIONS = "benchmarks.servers.applications"
CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Peer:
    """A framework, or this site, under a server with one worker."""

    name: str  # for the option --only
    title: str
    server: Server


@dataclass(frozen=True, slots=True)
class Route:
    """A kind of request."""

    name: str  # for the option --route
    connections: int = CONNECTIONS
    script: str = ""  # of wrk, in benchmarks/scripts, if requests differ
    conditional: bool = False  # with If-None-Match, so that the response is 304
    writes: bool = False  # creates products, which are deleted after each turn


@dataclass(frozen=True, slots=True)
class Row:
    """A route of a peer. All rows of one route give the same response."""

    route: Route
    peer: Peer
    path: str


Environment = tuple[tuple[str, str], ...]


def under_uvicorn(
    application: str,
    *options: str,
    environment: Environment = (),
    ready_path: str = "/hello",
) -> Server:
    """The fastest configuration of uvicorn: httptools, uvloop and no access log."""
    arguments = (
        *("-m", "uvicorn", application, "--port={port}", "--workers=1"),
        *("--loop=uvloop", "--http=httptools"),
        *("--no-access-log", "--log-level=warning", *options),
    )
    return Server(arguments, environment, ready_path)


def under_gunicorn(application: str, environment: Environment = ()) -> Server:
    """gunicorn with its synchronous worker, without the site's gunicorn.conf.py."""
    arguments = (
        *("-m", "gunicorn", application, "--bind=127.0.0.1:{port}", "--workers=1"),
        *("--config=/dev/null", "--no-control-socket", "--log-level=warning"),
    )
    return Server(arguments, environment)


def by_itself(module: str) -> Server:
    return Server(("-m", module, "{port}"))


def as_in_production(environment: Environment) -> Server:
    """The site's gunicorn.conf.py, without the periodic replacement of workers.

    Anyone may write, because the peers do not authenticate either.
    """
    ours = (("MAX_REQUESTS", "0"), ("CATALOG_WRITE_ACCESS", "anyone"))
    return Server(("-m", "gunicorn"), (*environment, *ours))


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
STARLETTE_ASYNCPG = Peer(
    "starlette-asyncpg",
    "Starlette + asyncpg",
    under_uvicorn(
        f"{APPLICATIONS}.starlette_asyncpg:application", ready_path="/brands"
    ),
)
FASTAPI_ASYNCPG = Peer(
    "fastapi-asyncpg",
    "FastAPI + asyncpg",
    under_uvicorn(f"{APPLICATIONS}.fastapi_asyncpg:application", ready_path="/brands"),
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

HELLO, TIME, ORM = Route("hello"), Route("time"), Route("orm")
BRANDS = Route("brands")
UNCHANGED = Route("unchanged", conditional=True)
PRODUCT = Route("product", script="product.lua")
INSERT = Route("insert", script="insert.lua", writes=True)
BRANDS_ALONE = Route("brands-alone", connections=1)
PRODUCT_ALONE = Route("product-alone", connections=1, script="product.lua")
# One connection too: concurrent requests for the same page would share a response.
PAGE_1 = Route("page-1", connections=1)
PAGE_10_000 = Route("page-10000", connections=1)

# Product 99,990 and an empty name, which is not used when ordering by ID.
CURSOR_10_000 = "WyJwcm9kdWN0X2lkIiw5OTk5MCwiIl0"

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
    Row(BRANDS, STARLETTE_ASYNCPG, "/brands"),
    Row(BRANDS, FASTAPI_ASYNCPG, "/brands"),
    Row(BRANDS, SITE, "/brands"),
    Row(BRANDS, SITE_WITHOUT_MIDDLEWARE, "/brands"),
    Row(UNCHANGED, SITE, "/brands"),
    Row(PRODUCT, STARLETTE_ASYNCPG, "/products/"),
    Row(PRODUCT, FASTAPI_ASYNCPG, "/products/"),
    Row(PRODUCT, SITE, "/products/"),
    Row(PRODUCT, SITE_WITHOUT_MIDDLEWARE, "/products/"),
    Row(INSERT, STARLETTE_ASYNCPG, "/product"),
    Row(INSERT, FASTAPI_ASYNCPG, "/product"),
    Row(INSERT, SITE, "/product"),
    Row(BRANDS_ALONE, STARLETTE_ASYNCPG, "/brands"),
    Row(BRANDS_ALONE, FASTAPI_ASYNCPG, "/brands"),
    Row(BRANDS_ALONE, SITE, "/brands"),
    Row(PRODUCT_ALONE, STARLETTE_ASYNCPG, "/products/"),
    Row(PRODUCT_ALONE, FASTAPI_ASYNCPG, "/products/"),
    Row(PRODUCT_ALONE, SITE, "/products/"),
    Row(PAGE_1, SITE, "/products?limit=10"),
    Row(PAGE_10_000, SITE, f"/products?limit=10&cursor={CURSOR_10_000}"),
)
ROUTES = tuple(dict.fromkeys(row.route for row in ROWS))
PEERS = tuple(dict.fromkeys(row.peer for row in ROWS))


def rows_of(routes: list[str], names: list[str]) -> tuple[Row, ...]:
    """The rows of the routes and peers of these names; an empty list means all."""
    return tuple(
        row
        for row in ROWS
        if (not routes or row.route.name in routes)
        and (not names or row.peer.name in names)
    )
