"""Errors of all routes have one shape: problem details for programs, a page for browsers."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import psycopg
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.support.catalog.databases import manage, new_database
from tests.support.catalog.service import JSON, PROBLEM_JSON, Response, send
from tests.support.site import Site

ACCEPT = {"program": "*/*", "browser": "text/html,application/xhtml+xml,*/*;q=0.8"}
BODY_BYTES, ADMIN_BODY_BYTES = 3000, 5000
TOKEN = """
from django.contrib.auth.models import User
from catalog.models import AccessToken, Scope
from catalog.access.tokens import issue
owner = User.objects.create_user("owner")
print(issue(AccessToken(owner=owner, name="all", scopes=list(Scope))))
print(issue(AccessToken(owner=owner, name="none", scopes=[])))
"""
ROWS = """
INSERT INTO brand (brand_name) VALUES ('Acme');
INSERT INTO product (product_name, brand_id) VALUES ('A hammer', 1);
"""


def routes(
    patterns: list[URLPattern | URLResolver] | None = None, before: str = "/"
) -> Iterator[str]:
    """A path of every route."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        # Some of the admin's patterns are regular expressions that end in a $.
        of_pattern = re.sub(r"<[^>]*>|\(\?P<.*?\)", "1", str(pattern.pattern))
        path = before + re.sub(r"^\^|\$$", "", of_pattern)
        if isinstance(pattern, URLPattern):
            yield path
        else:
            yield from routes(pattern.url_patterns, path)


# Middleware responds to the first two.
FOUND = ["/healthz", "/readyz", *dict.fromkeys(routes())]
EVERY_ROUTE = [*FOUND, "/nowhere", "/static/nowhere.css"]
# The admin redirects most requests to its login.
ROUTES = [path for path in FOUND if not path.startswith("/admin/")]
OF_THE_CATALOG = [path for path in ROUTES if re.match("/(brands|products)(/|$)", path)]
PAGES_OF_THE_CATALOG = [path for path in ROUTES if path.startswith("/catalog/")]


@dataclass(frozen=True, slots=True)
class Served:
    """A site, and two tokens: one with all permissions, and one with none."""

    url: str
    database: str
    good: str
    useless: str
    # The lines of the log.
    lines: list[str] = field(default_factory=list)

    def request(self, agent: str, method: str, path: str, **headers: str) -> Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        body = given.pop("body", "").encode() or None
        return send(self.url, method, path, body, {"Accept": ACCEPT[agent]} | given)


@pytest.fixture(scope="module")
def database(migrated: str) -> Iterator[tuple[str, str, str]]:
    with new_database(migrated) as url:
        made = manage(url, "shell", "--no-imports", "--command", TOKEN)
        with psycopg.connect(url) as connection:
            connection.execute(ROWS)
        good, useless = made.stdout.split()
        yield url, good, useless


@pytest.fixture(scope="module")
def served(database: tuple[str, str, str]) -> Iterator[Served]:
    limits = {"CATALOG_READS_A_MINUTE": "0", "CATALOG_WRITES_A_MINUTE": "0"}
    sizes = {
        "BODY_BYTES": str(BODY_BYTES),
        "ADMIN_BODY_BYTES": str(ADMIN_BODY_BYTES),
    }
    with Site(DATABASE_URL=database[0], **sizes, **limits) as site:
        yield Served(site.url, *database, site.lines)


@pytest.fixture
def spare(migrated: str) -> Iterator[Served]:
    """A site that a test may break, with its own database and a short timeout for it."""
    with new_database(migrated) as url:
        with psycopg.connect(url) as connection:
            connection.execute(ROWS)
        settings = {"CATALOG_WRITE_ACCESS": "anyone", "DATABASE_SECONDS": "0.5"}
        with Site(DATABASE_URL=url, **settings) as site:
            served = Served(site.url, url, "", "")
            # A worker that starts without its database would stop the site.
            assert served.request("program", "GET", "/readyz").status == 200
            yield served


def assert_is_problem(answer: Response, status: int, agent: str) -> None:
    assert answer.status == status, answer.body[:500]
    title = HTTPStatus(status).phrase
    if agent == "browser":
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        page = answer.body.decode()
        assert f"<title>{status} {title}</title>" in page
        assert re.search(r"<p>[^<]+\S\.</p>", page)
        return
    assert answer.headers["Content-Type"] == PROBLEM_JSON
    document: dict[str, Any] = answer.json
    errors = document.pop("errors", [])
    assert list(document) == ["type", "title", "status", "detail"]
    assert document["type"] == "about:blank"
    assert (document["title"], document["status"]) == (title, status)
    assert document["detail"].endswith(".")
    for error in errors:
        assert list(error) == ["field", "value", "message"]
        assert all(isinstance(each, str) for each in error.values())
    if status in {429, 503}:
        assert int(answer.headers["Retry-After"]) >= 1
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.fixture(params=ACCEPT)
def agent(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_all_routes_are_requested() -> None:
    assert {"/", "/time", "/requests/", "/brands/1", "/products/1/skus"} < set(ROUTES)
    assert len(OF_THE_CATALOG) == 6
    assert len(PAGES_OF_THE_CATALOG) == 3


@pytest.mark.parametrize("path", ROUTES)
def test_a_method_that_is_not_allowed(served: Served, path: str, agent: str) -> None:
    answer = served.request(agent, "TRACE", path)

    assert_is_problem(answer, 405, agent)
    assert "GET" in answer.headers["Allow"] or path == "/product"


@pytest.mark.parametrize("path", ROUTES)
def test_a_path_below_a_route_that_does_not_exist(
    served: Served, path: str, agent: str
) -> None:
    answer = served.request(agent, "GET", f"{path.rstrip('/')}/nowhere/at/all")

    assert_is_problem(answer, 404, agent)


@pytest.mark.parametrize("path", [*ROUTES, "/admin/login/"])
def test_a_body_that_is_too_large(served: Served, path: str, agent: str) -> None:
    most = ADMIN_BODY_BYTES if path.startswith("/admin/") else BODY_BYTES

    answer = served.request(agent, "POST", path, body="x" * (most + 1))

    assert_is_problem(answer, 413, agent)


def assert_is_refused(answer: Response, agent: str) -> None:
    assert 400 <= answer.status < 500, answer.body[:500]
    assert_is_problem(answer, answer.status, agent)
    assert len(answer.body) < 5000


def test_too_many_fields_in_the_query_string(served: Served, agent: str) -> None:
    for path in EVERY_ROUTE:
        answer = served.request(agent, "GET", f"{path}?{'&'.join(['a=1'] * 1001)}")

        assert_is_refused(answer, agent)
    assert "Traceback" not in "".join(served.lines)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("q=%00abc&%00=%00&next=%00", id="NUL"),
        pytest.param("q=%FF%FEabc&%FF=1&format=%FF", id="invalid UTF-8"),
        pytest.param("q=%ED%A0%80abc&limit=%ED%A0%80", id="a surrogate"),
        pytest.param("&".join(f"{x}={'9' * 2000}" for x in "abc"), id="long numbers"),
        pytest.param("limit=99999999999999999999&brand_id=" + "9" * 5000, id="huge"),
        pytest.param("zz=" + "z" * 20_000, id="a long value"),
        pytest.param("z" * 20_000 + "=1", id="a long name"),
        pytest.param("q=%zz%&cursor=%&order=%1", id="incomplete escapes"),
        pytest.param("url=" + "%" * 5000, id="percent signs"),
    ],
)
def test_a_malformed_query_string(served: Served, query: str) -> None:
    for path in {*ROUTES, "/admin/login/", "/nowhere"} - SLOW:
        answer = served.request("program", "GET", f"{path}?{query}")

        assert answer.status < 500, (path, answer.body[:500])
        if answer.status >= 400:
            assert_is_refused(answer, "program")
    assert "Traceback" not in "".join(served.lines)
    assert max(map(len, served.lines)) < 3000


# Requests to these run an experiment of two seconds.
SLOW = {"/requests/sync_to_async", "/requests/async_to_sync/experiment"}
MULTIPART = "multipart/form-data; boundary=XX"
URLENCODED = "application/x-www-form-urlencoded"
FIELD = b'Content-Disposition: form-data; name="username"'
FILE = FIELD + b'; filename="f"'
CSRF_COOKIE = "a" * 32


def part(head: bytes, body: bytes = b"x") -> bytes:
    return b"--XX\r\n" + head + b"\r\n\r\n" + body + b"\r\n--XX--\r\n"


MALFORMED = {
    "too many fields": (URLENCODED, b"&" * 1001),
    "no boundary": ("multipart/form-data", b"x"),
    "an empty boundary": ("multipart/form-data; boundary=", b"x"),
    "a boundary that is not ASCII": ("multipart/form-data; boundary=\xe9", b"x"),
    "a long boundary": ("multipart/form-data; boundary=" + "b" * 999, b"x"),
    "a file that is not base64": (
        MULTIPART,
        part(FILE + b"\r\nContent-Transfer-Encoding: base64", b"A"),
    ),
    "a charset in parts": (URLENCODED + "; charset*0=zl; charset*1=ib", b"a=1"),
    "an extended charset": (URLENCODED + "; charset*=zlib''%41", b"a=1"),
    "a thousand parameters": (URLENCODED + ";a=b" * 1000, b"a=1"),
    **{
        f"{kind} in {charset[:20]!r}": (f"{media_type}; charset={charset}", body)
        for charset in [
            *("idna", "zlib", "rot13", "hex", "undefined", "unicode_escape", "utf-7"),
            *("punycode", "base64", "raw_unicode_escape", "nope", "", "x" * 900),
            *('"zlib"', "ID\xc9A", "utf-8\\0", "utf-8;charset=hex"),
        ]
        for kind, media_type, body in [
            ("multipart", MULTIPART, part(FIELD, b"\xff\xfe")),
            ("a form", URLENCODED, b"username=%FF"),
        ]
    },
}


EVERYWHERE = {
    "too many fields",
    "no boundary",
    "a file that is not base64",
    "multipart in 'zlib'",
    "a form in 'idna'",
}
# Forms, an API, a page, and a path without a route.
OF_EACH_KIND = ["/admin/login/", "/product", "/requests/", "/healthz", "/nowhere"]


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_body_that_cannot_be_read(served: Served, kind: str) -> None:
    content_type, body = MALFORMED[kind]
    for path in EVERY_ROUTE if kind in EVERYWHERE else OF_EACH_KIND:
        agent = "browser" if path == "/admin/login/" else "program"
        answer = send(
            served.url,
            "POST",
            path,
            body,
            {
                "Accept": ACCEPT[agent],
                "Content-Type": content_type,
                # With these, the forms are parsed.
                "Cookie": f"csrftoken={CSRF_COOKIE}",
                "X-CSRFToken": CSRF_COOKIE,
            },
        )

        assert answer.status != 403, (path, answer.body)
        assert_is_refused(answer, agent)
    assert "Traceback" not in "".join(served.lines)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Cookie", 'sessionid="\\000"; csrftoken="\\377'),
        ("Cookie", "sessionid=" + "\xff" * 32),
        ("Cookie", "=;;;=\x7f"),
        ("Cookie", 'messages=[["x"]]:1:2; sessionid=\''),
        ("Cookie", ";".join(f"c{n}=1" for n in range(3000))),
        ("Content-Type", ";;;="),
        ("Content-Type", "\xff/\xff; charset=\xff"),
        ("Content-Type", "text/plain" + ';a="' * 2000),
        ("Accept-Language", "de-" * 10_000),
        ("Accept-Language", ";q=1,en;q=nan,*"),
        ("Origin", "null"),
        ("Origin", "http://["),
        ("Host", "["),
        ("Host", "\xff"),
        ("Host", "h" * 5000),
    ],
)
def test_a_malformed_header_field(
    served: Served, agent: str, name: str, value: str
) -> None:
    for path in ["/", "/time", "/products", "/catalog/", "/requests/", "/admin/login/"]:
        headers = {name.replace("-", "_"): value}
        answer = served.request(agent, "GET", path, **headers)

        assert answer.status < 500
        if answer.status >= 400 and answer.headers["Content-Type"] != PROBLEM_JSON:
            assert_is_refused(answer, "browser")
    assert "Traceback" not in "".join(served.lines)
    assert max(map(len, served.lines)) < 3000


HAMMER = json.dumps({"product_name": "x", "brand_id": 1})
NAME = json.dumps({"brand_name": "x"})
ANY_AND_NONE = {"as": "good", "If_Match": "*", "If_None_Match": "*"}
TEXT = {"Content_Type": "text/plain", "as": "good"}
REFUSED = [
    (400, "GET", "/brands/x", {}),
    (400, "GET", "/brands/x/products", {}),
    (400, "GET", "/brands/1/products?limit=0", {}),
    (400, "GET", "/products?q=x", {}),
    (400, "GET", "/products?zz=1", {}),
    (400, "GET", "/products?cursor=x", {}),
    (400, "GET", "/products/x", {}),
    (400, "GET", "/products/1?fields=x", {}),
    (400, "GET", "/brands?limit=1", {}),
    (400, "PUT", "/products/1?x", {"body": HAMMER, "as": "good"}),
    (400, "GET", "/products/x/skus", {}),
    (400, "POST", "/product", {"body": "{", "as": "good"}),
    (400, "POST", "/product", {"body": "{}", "as": "good"}),
    (400, "POST", "/products", {"body": HAMMER.replace("1", "77"), "as": "good"}),
    (400, "POST", "/products", {"body": "[]", "as": "good"}),
    (400, "POST", "/brands", {"body": HAMMER, "as": "good"}),
    (400, "POST", "/brands", {"body": NAME, "as": "good", "Idempotency_Key": " "}),
    (401, "POST", "/product", {"body": HAMMER}),
    (401, "POST", "/products", {"body": "{"}),
    (401, "PUT", "/brands/1", {"body": "{}", "Content_Type": "text/plain"}),
    (401, "POST", "/products", {"body": HAMMER}),
    (401, "POST", "/brands", {"body": NAME}),
    (401, "PUT", "/products/1", {"body": HAMMER}),
    (401, "PATCH", "/brands/1", {"body": "{}"}),
    (401, "DELETE", "/brands/1", {}),
    (401, "DELETE", "/products/1", {"Authorization": "Bearer avc_wrong"}),
    (401, "DELETE", "/products/1", {"Authorization": "Basic eDp5"}),
    (403, "POST", "/product", {"body": HAMMER, "as": "useless"}),
    (403, "POST", "/brands", {"body": NAME, "as": "useless"}),
    (403, "PUT", "/products/1", {"body": HAMMER, "as": "useless"}),
    (403, "DELETE", "/brands/1", {"as": "useless"}),
    (403, "POST", "/admin/login/", {}),
    (404, "GET", "/brands/7", {}),
    (404, "GET", "/brands/7/products", {}),
    (404, "GET", "/products/7", {}),
    (404, "GET", "/products/7/skus", {}),
    (404, "DELETE", "/products/7", {"as": "good", "If_Match": "*"}),
    (404, "GET", "/static/nothing.css", {}),
    (409, "DELETE", "/brands/1", {"as": "good", "If_Match": "*"}),
    (412, "PUT", "/products/1", {"body": HAMMER, "as": "good", "If_Match": '"x"'}),
    (412, "DELETE", "/brands/1", {"as": "good", "If_Match": '"x"'}),
    (412, "PATCH", "/brands/1", {"body": "{}"} | ANY_AND_NONE),
    (415, "POST", "/products", TEXT | {"body": HAMMER}),
    (415, "PATCH", "/brands/1", TEXT | {"body": NAME}),
    (428, "PATCH", "/products/1", {"body": "{}", "as": "good"}),
    (428, "DELETE", "/brands/1", {"as": "good"}),
]


@pytest.mark.parametrize(("status", "method", "path", "headers"), REFUSED)
def test_an_invalid_request(
    served: Served,
    agent: str,
    status: int,
    method: str,
    path: str,
    headers: dict[str, str],
) -> None:
    given = {"Content_Type": JSON} | headers
    token = given.pop("as", None)
    if token:
        given["Authorization"] = f"Bearer {getattr(served, token)}"

    assert_is_problem(served.request(agent, method, path, **given), status, agent)


def test_an_idempotency_key_of_another_request(served: Served, agent: str) -> None:
    headers = {
        "Authorization": f"Bearer {served.good}",
        "Content_Type": JSON,
        "Idempotency_Key": f"of-a-{agent}",
    }
    served.request(agent, "POST", "/brands", body=NAME, **headers)

    answer = served.request(agent, "POST", "/products", body=HAMMER, **headers)

    assert_is_problem(answer, 422, agent)


def test_more_requests_than_the_limit(database: tuple[str, str, str]) -> None:
    limits = {"CATALOG_READS_A_MINUTE": "1", "CATALOG_WRITES_A_MINUTE": "1"}
    with Site(DATABASE_URL=database[0], **limits) as site:
        served = Served(site.url, *database)
        for path in OF_THE_CATALOG:
            for agent in ACCEPT:
                # The third request at the latest, in case a minute ends in between.
                answers = [served.request(agent, "GET", path) for _ in range(3)]
                answers = [each for each in answers if each.status != 200]
                assert_is_problem(answers[-1], 429, agent)
        for agent in ACCEPT:
            answers = [served.request(agent, "POST", "/product") for _ in range(3)]
            refused = [each for each in answers if each.status == 429]
            assert_is_problem(refused[-1], 429, agent)


def test_a_database_that_does_not_answer(spare: Served) -> None:
    name = psycopg.conninfo.conninfo_to_dict(spare.database)["dbname"]
    server = spare.database.replace(str(name), "postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [name],
        )

        headers = {"Content_Type": JSON, "If_Match": "*"}
        requests = [
            *((path,) for path in [*OF_THE_CATALOG, *PAGES_OF_THE_CATALOG, "/readyz"]),
            ("/product", "POST", HAMMER),
            ("/brands", "POST", NAME),
            ("/products/1", "PUT", HAMMER),
            ("/brands/1", "DELETE", ""),
        ]

        def check(agent: str, path: str, method: str = "GET", body: str = "") -> None:
            sent = headers if method != "GET" else {}
            answer = spare.request(agent, method, path, body=body, **sent)
            assert_is_problem(answer, 503, agent)

        # Concurrently, because each waits for the database until the timeout.
        with ThreadPoolExecutor(len(ACCEPT) * len(requests)) as pool:
            waits = [
                pool.submit(check, agent, *each)
                for agent in ACCEPT
                for each in requests
            ]
            for wait in waits:
                wait.result()
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_an_unexpected_error(spare: Served) -> None:
    with psycopg.connect(spare.database) as connection:
        connection.execute("DROP TABLE brand, product, sku CASCADE")

    failing = [*OF_THE_CATALOG, *PAGES_OF_THE_CATALOG]
    for path in failing:
        for agent in ACCEPT:
            assert_is_problem(spare.request(agent, "GET", path), 500, agent)
    for agent in ACCEPT:
        answer = spare.request(agent, "POST", "/product", body=HAMMER)
        assert_is_problem(answer, 500, agent)
    for path in set(ROUTES) - {*failing, "/product"}:
        assert spare.request("program", "GET", path).status < 500


@pytest.mark.parametrize(
    "path",
    [
        "/requests/?url=x",
        "/requests/async_to_sync?url=x",
        "/requests/sync_to_async?num_calls=x",
    ],
)
def test_a_form_with_an_invalid_value(served: Served, path: str) -> None:
    document = served.request("program", "GET", path)
    page = served.request("browser", "GET", path)

    assert_is_problem(document, 400, "program")
    # The error page is the form itself, with the errors marked.
    assert page.status == 400
    assert b'aria-invalid="true"' in page.body
