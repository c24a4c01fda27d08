"""Middleware that runs in place behaves as Django's, and starts no thread."""

import re
import sys
import threading
from dataclasses import dataclass, field
from typing import Any, ClassVar

import aiohttp
import pytest
from asgiref.sync import SyncToAsync
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django.shortcuts import redirect
from django.test import RequestFactory
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import path
from django.utils.decorators import async_only_middleware
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from pytest_django import Settings

from async_views.runtime.handler.asgi_handler import Handler
from async_views.runtime.handler.middleware import (
    CsrfViewMiddleware,
    in_place_classes,
)
from benchmarks.servers.applications import startproject
from tests.support.exchanges import Exchange, get
from tests.support.servers import serve_asgi

SEVEN = startproject.MIDDLEWARE
CONDITIONAL_GET = "django.middleware.http.ConditionalGetMiddleware"
PASSWORD = "correct horse battery staple"

pytestmark = pytest.mark.urls(__name__)


async def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello.")


@csrf_exempt
async def exempt(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Anybody may post.")


@ensure_csrf_cookie
def form(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"posted {sorted(request.POST.items())[:-1]}")


async def count_visits(request: HttpRequest) -> HttpResponse:
    visits = await request.session.aget("visits", 0) + 1
    await request.session.aset("visits", visits)
    return HttpResponse(f"visit {visits}")


async def forget(request: HttpRequest) -> HttpResponse:
    await request.session.aflush()
    return HttpResponse("forgotten")


async def say(request: HttpRequest) -> HttpResponse:
    messages.info(request, "It is done.")
    return redirect("/said/")


# Synchronous: messages kept in the session are read from the database.
def said(request: HttpRequest) -> HttpResponse:
    return HttpResponse([str(message) for message in messages.get_messages(request)])


async def username(request: HttpRequest) -> HttpResponse:
    return HttpResponse((await request.auser()).get_username())


def username_synchronously(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username())


async def count_messages(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{len(messages.get_messages(request))} messages")


async def fail(request: HttpRequest) -> HttpResponse:
    raise LookupError("on purpose")


urlpatterns = [
    path("hello/", hello),
    path("exempt/", exempt),
    path("form/", form),
    path("visits/", count_visits),
    path("forget/", forget),
    path("say/", say),
    path("said/", said),
    path("messages/", count_messages),
    path("username/", username),
    path("username-synchronously/", username_synchronously),
    path("fail/", fail),
    path("admin/", admin.site.urls),
]


class DerivedMiddleware(SecurityMiddleware):
    """A middleware of a site, whose hooks may do anything."""


@async_only_middleware
def without_messages(get_response: Any) -> Any:
    """Removes the messages from a request, as a site's own middleware may."""

    async def middleware(request: HttpRequest) -> HttpResponse:
        del request._messages  # type: ignore[attr-defined]
        response: HttpResponse = await get_response(request)
        return response

    return middleware


@async_only_middleware
def without_session(get_response: Any) -> Any:
    """Removes the session from a request."""

    async def middleware(request: HttpRequest) -> HttpResponse:
        del request.session
        response: HttpResponse = await get_response(request)
        return response

    return middleware


class NotedUpload(MemoryFileUploadHandler):
    """Records on which threads forms with files are parsed."""

    threads: ClassVar[list[int]] = []

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self.threads.append(threading.get_ident())
        super().new_file(*args, **kwargs)


@dataclass
class Threading:
    """The number of hops to threads, and of threads started."""

    hops: int = 0
    threads: int = 0


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Threading:
    """Counts from here to the end of the test."""
    count = Threading()
    hop, start = SyncToAsync.__call__, threading.Thread.start

    async def counted_hop(self: Any, *args: Any, **kwargs: Any) -> Any:
        count.hops += 1
        return await hop(self, *args, **kwargs)

    def counted_start(self: threading.Thread) -> None:
        count.threads += 1
        start(self)

    monkeypatch.setattr(SyncToAsync, "__call__", counted_hop)
    monkeypatch.setattr(threading.Thread, "start", counted_start)
    return count


@pytest.fixture
def administrator(database: None, settings: Settings) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_superuser("ada", "ada@example.com", PASSWORD)


async def status_of_get(app: Any, path: str, *headers: tuple[bytes, bytes]) -> int:
    answer = await get(app, path, headers=[(b"host", b"testserver"), *headers])
    return answer.status_code


STACKS = {
    "no middleware": [],
    "the seven": SEVEN,
    "the seven and conditional GET": [*SEVEN, CONDITIONAL_GET],
}


@pytest.mark.parametrize("middleware", STACKS.values(), ids=STACKS)
async def test_an_asynchronous_get_makes_no_hop_and_starts_no_thread(
    middleware: list[str], settings: Settings, counted: Threading
) -> None:
    settings.MIDDLEWARE = middleware

    assert await status_of_get(Handler(), "/hello/") == 200

    assert counted == Threading(hops=0, threads=0)


@pytest.mark.parametrize("middleware", STACKS.values(), ids=STACKS)
async def test_django_s_own_handler_hops_and_starts_threads(
    middleware: list[str], settings: Settings, counted: Threading
) -> None:
    settings.MIDDLEWARE = middleware

    assert await status_of_get(ASGIHandler(), "/hello/") == 200

    assert counted.hops >= 2 * max(1, len(middleware))
    assert counted.threads > 0


async def test_an_unused_session_cookie_costs_no_hop(
    settings: Settings, counted: Threading
) -> None:
    settings.MIDDLEWARE = SEVEN

    cookie = (b"cookie", b"sessionid=0123456789abcdefghijklmnopqrstuv; csrftoken=x")
    assert await status_of_get(Handler(), "/hello/", cookie) == 200

    assert counted == Threading(hops=0, threads=0)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE"])
async def test_other_safe_methods_make_no_hop_either(
    method: str, settings: Settings, counted: Threading
) -> None:
    settings.MIDDLEWARE = SEVEN

    await get(Handler(), "/hello/", method=method)

    assert counted == Threading(hops=0, threads=0)


async def test_a_csrf_exempt_view_costs_no_hop(
    settings: Settings, counted: Threading
) -> None:
    settings.MIDDLEWARE = SEVEN

    answer = await get(Handler(), "/exempt/", method="POST")

    assert answer.content == b"Anybody may post."
    assert counted == Threading(hops=0, threads=0)


async def test_counting_messages_costs_no_hop(
    settings: Settings, counted: Threading
) -> None:
    settings.MIDDLEWARE = SEVEN

    answer = await get(Handler(), "/messages/")

    assert answer.content == b"0 messages"
    assert counted == Threading(hops=0, threads=0)


async def test_unused_messages_have_no_storage(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIDDLEWARE = SEVEN
    made: list[FallbackStorage] = []
    make = FallbackStorage.__init__

    def noted_make(self: FallbackStorage, *args: Any, **kwargs: Any) -> None:
        made.append(self)
        make(self, *args, **kwargs)

    monkeypatch.setattr(FallbackStorage, "__init__", noted_make)

    assert await status_of_get(Handler(), "/hello/") == 200
    assert made == []

    assert await status_of_get(Handler(), "/messages/") == 200
    assert len(made) == 1


async def test_a_class_derived_from_django_s_keeps_its_thread(
    settings: Settings, counted: Threading
) -> None:
    settings.MIDDLEWARE = [f"{__name__}.DerivedMiddleware"]

    assert await status_of_get(Handler(), "/hello/") == 200

    assert counted.hops >= 2


@pytest.mark.parametrize(
    ("setting", "value", "middleware"),
    [
        ("SESSION_ENGINE", f"{__name__}.engine", SEVEN[1]),
        ("MESSAGE_STORAGE", f"{__name__}.storage", SEVEN[5]),
        ("CSRF_USE_SESSIONS", True, SEVEN[3]),
    ],
)
def test_classes_that_block_under_some_settings_are_not_replaced(
    setting: str, value: object, middleware: str, settings: Settings
) -> None:
    assert middleware in in_place_classes()

    setattr(settings, setting, value)

    assert middleware not in in_place_classes()


def test_each_class_is_derived_from_the_one_at_its_path() -> None:
    classes = in_place_classes()

    assert set(classes) == {*SEVEN, CONDITIONAL_GET}
    for name, in_place in classes.items():
        original = import_string(name)
        assert in_place is not original
        assert issubclass(in_place, original)


def test_wsgi_uses_django_s_own_classes(settings: Settings) -> None:
    settings.MIDDLEWARE = SEVEN
    seen: list[str] = []

    def note_the_stack(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_name == "__call__":
            seen.append(type(frame.f_locals.get("self")).__module__)

    Handler()
    wsgi = WSGIHandler()
    sys.setprofile(note_the_stack)
    try:
        response = wsgi.get_response(RequestFactory().get("/hello/"))
    finally:
        sys.setprofile(None)

    assert response.status_code == 200
    assert {name.rpartition(".")[0] for name in SEVEN} <= set(seen)
    assert "async_views.runtime.handler.middleware" not in seen


@dataclass(frozen=True)
class Step:
    """A request; `token` sends the cookie's CSRF token, `etag` the last response's ETag."""

    method: str
    path: str
    data: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    token: bool = False
    etag: bool = False


LOGIN = [
    Step("GET", "/admin/login/"),
    Step(
        "POST",
        "/admin/login/?next=/admin/",
        {"username": "ada", "password": PASSWORD},
        token=True,
    ),
]
VISITS = {
    "GET": [Step("GET", "/hello/")],
    "HEAD": [Step("HEAD", "/hello/")],
    "OPTIONS": [Step("OPTIONS", "/hello/")],
    "not found": [Step("GET", "/nowhere/"), Step("HEAD", "/nowhere/")],
    "a missing slash": [Step("GET", "/hello?a=1"), Step("POST", "/hello", token=True)],
    "a wrong host": [Step("GET", "/hello/", headers={"Host": "elsewhere.example"})],
    "a crash": [Step("GET", "/fail/")],
    "a POST without a token": [Step("POST", "/form/", {"colour": "red"})],
    "a POST with a token": [
        Step("GET", "/form/"),
        Step("POST", "/form/", {"colour": "red"}, token=True),
        Step("POST", "/form/", headers={"Origin": "https://elsewhere.example"}),
        Step("POST", "/form/", {"csrfmiddlewaretoken": "x" * 32}),
        Step("POST", "/exempt/"),
    ],
    "a session": [Step("GET", "/visits/")] * 2
    + [Step("GET", "/forget/"), Step("GET", "/visits/")],
    "a message": [
        Step("GET", "/say/"),
        Step("GET", "/hello/"),
        Step("GET", "/said/"),
        Step("GET", "/said/"),
    ],
    "a conditional GET": [
        Step("GET", "/hello/"),
        Step("GET", "/hello/", etag=True),
        Step("GET", "/exempt/", etag=True),
    ],
    "login, changelist, logout": [
        Step("GET", "/admin/"),
        Step("POST", "/admin/login/", {"username": "ada", "password": ""}),
        *LOGIN,
        Step("GET", "/admin/auth/user/"),
        Step("GET", "/username/"),
        Step("GET", "/username-synchronously/"),
        Step("POST", "/admin/logout/", token=True),
        Step("GET", "/admin/auth/user/"),
        Step("GET", "/username/"),
    ],
    "a message of the admin": [
        *LOGIN,
        Step("POST", "/admin/auth/group/add/", {"name": ""}, token=True),
        Step("POST", "/admin/auth/user/", {"action": "delete_selected"}, token=True),
        Step("GET", "/admin/auth/user/"),
        Step("GET", "/admin/auth/user/"),
    ],
}

# Tokens, session keys and seconds differ from one visit to the next.
CHANGING = re.compile(
    rb"(?<=csrfmiddlewaretoken\" value=\")\w+|(?<=csrftoken=)\w+|(?<=sessionid=)\w{32}"
    rb"|\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT"
    # The second at which a cookie was signed, and the signature, which depends on it.
    rb"|:[0-9A-Za-z]{6}:[\w-]{43}"
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


async def visit(app: Any, steps: list[Step]) -> list[Answer]:
    """The responses to a client that keeps cookies as a browser does."""
    answers: list[Answer] = []
    etag = ""
    with serve_asgi(app, date_header=False, server_header=False) as server:
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(server.url, cookie_jar=jar) as session:
            for step in steps:
                data, headers = dict(step.data), {"Host": "testserver"} | step.headers
                if step.token:
                    cookies = {cookie.key: cookie.value for cookie in jar}
                    data["csrfmiddlewaretoken"] = cookies.get("csrftoken", "")
                if step.etag:
                    headers["If-None-Match"] = etag
                async with session.request(
                    step.method,
                    step.path,
                    data=data or None,
                    headers=headers,
                    allow_redirects=False,
                ) as response:
                    etag = response.headers.get("ETag", "")
                    answers.append(
                        Answer(
                            response.status,
                            [
                                (name, CHANGING.sub(b"*", value))
                                for name, value in response.raw_headers
                            ],
                            CHANGING.sub(b"*", await response.read()),
                        )
                    )
    return answers


@pytest.mark.parametrize("steps", VISITS.values(), ids=VISITS)
async def test_every_response_equals_that_of_django_s_own_handler(
    steps: list[Step], settings: Settings, administrator: User
) -> None:
    settings.MIDDLEWARE = [CONDITIONAL_GET, *SEVEN]

    django_s = await visit(ASGIHandler(), steps)
    ours = await visit(Handler(), steps)

    assert ours == django_s


@pytest.mark.parametrize("storage", ["cookie.CookieStorage", "session.SessionStorage"])
async def test_messages_are_kept_in_the_configured_storage(
    storage: str, settings: Settings, administrator: User
) -> None:
    settings.MIDDLEWARE = SEVEN
    settings.MESSAGE_STORAGE = f"django.contrib.messages.storage.{storage}"
    steps = VISITS["a message"] + VISITS["a message of the admin"]

    django_s = await visit(ASGIHandler(), steps)
    ours = await visit(Handler(), steps)

    assert ours == django_s
    assert [b"messages=" in str(answer.headers).encode() for answer in ours][:3] == (
        [True, False, True] if storage.startswith("cookie") else [False] * 3
    )
    assert ours[2].body == b"It is done."


async def test_the_visits_have_the_outcomes_that_they_are_named_for(
    settings: Settings, administrator: User
) -> None:
    settings.MIDDLEWARE = [CONDITIONAL_GET, *SEVEN]

    async def outcome(name: str) -> list[tuple[int, bytes]]:
        answers = await visit(Handler(), VISITS[name])
        return [(answer.status, answer.body) for answer in answers]

    session = await outcome("a session")
    said = await outcome("a message")
    conditional = await outcome("a conditional GET")
    posted = await outcome("a POST with a token")
    admin_pages = await outcome("login, changelist, logout")

    assert [body for _, body in session] == [
        b"visit 1",
        b"visit 2",
        b"forgotten",
        b"visit 1",
    ]
    assert [body for _, body in said] == [b"", b"Hello.", b"It is done.", b""]
    assert [status for status, _ in conditional] == [200, 304, 200]
    assert [status for status, _ in posted] == [200, 200, 403, 403, 200]
    assert [status for status, _ in admin_pages] == [
        302,
        403,
        200,
        302,
        200,
        200,
        200,
        200,
        302,
        200,
    ]
    assert b"ada@example.com" in admin_pages[4][1]
    assert [body for _, body in (admin_pages[5], admin_pages[6], admin_pages[9])] == [
        b"ada",
        b"ada",
        b"",
    ]


async def test_a_middleware_that_responds_skips_the_view(
    settings: Settings,
) -> None:
    settings.MIDDLEWARE = SEVEN
    settings.SECURE_SSL_REDIRECT = True

    answer = await get(Handler(), "/hello/")

    assert answer.status_code == 301
    assert answer["Location"] == "https://testserver/hello/"


def test_a_synchronous_chain_gets_the_csrf_response_without_awaiting() -> None:
    check = CsrfViewMiddleware(lambda request: HttpResponse())

    answer = check.process_view(RequestFactory().post("/form/"), form, (), {})

    assert answer is not None
    assert answer.status_code == 403


@pytest.mark.parametrize("taken", ["messages", "session"])
async def test_a_request_without_its_messages_or_session_gets_a_response(
    taken: str, settings: Settings
) -> None:
    settings.MIDDLEWARE = [SEVEN[1], SEVEN[5], f"{__name__}.without_{taken}"]

    assert await status_of_get(Handler(), "/hello/") == 200


async def test_saving_a_session_does_not_block_the_event_loop(
    settings: Settings, database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIDDLEWARE = SEVEN
    saving_threads: list[int] = []

    save = SessionStore.save

    def noted_save(self: Any, *args: Any, **kwargs: Any) -> None:
        saving_threads.append(threading.get_ident())
        save(self, *args, **kwargs)

    monkeypatch.setattr(SessionStore, "save", noted_save)

    assert await status_of_get(Handler(), "/visits/") == 200

    assert saving_threads
    assert threading.get_ident() not in saving_threads


async def test_saving_a_session_at_every_request_does_not_block_the_event_loop(
    settings: Settings, database: None
) -> None:
    settings.MIDDLEWARE = SEVEN
    settings.SESSION_SAVE_EVERY_REQUEST = True
    session = SessionStore()
    await session.aset("visits", 1)
    await session.asave()

    cookie = (b"cookie", f"sessionid={session.session_key}".encode())

    # Django would refuse to load and save it on the event loop's thread.
    assert await status_of_get(Handler(), "/hello/", cookie) == 200


async def test_messages_are_added_to_a_session_off_the_event_loop(
    settings: Settings, database: None
) -> None:
    settings.MIDDLEWARE = SEVEN
    settings.MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
    # For the second request there is a session to load, which its view did not load.
    steps = [Step("GET", "/say/"), Step("GET", "/say/"), Step("GET", "/said/")]

    answers = await visit(Handler(), steps)

    assert [answer.status for answer in answers] == [302, 302, 200]
    assert answers[2].body == b"It is done." * 2


async def test_a_form_is_read_for_its_token_off_the_event_loop(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIDDLEWARE = SEVEN
    settings.FILE_UPLOAD_HANDLERS = [f"{__name__}.NotedUpload"]
    monkeypatch.setattr(NotedUpload, "threads", [])
    token = "x" * 32
    upload = SimpleUploadedFile("small.txt", b"small")
    body = encode_multipart(BOUNDARY, {"csrfmiddlewaretoken": token, "upload": upload})

    exchange = Exchange(
        Handler(),
        "/hello/",
        method="POST",
        headers=[
            (b"host", b"testserver"),
            (b"content-type", MULTIPART_CONTENT.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cookie", f"csrftoken={token}".encode()),
        ],
    )
    exchange.tell("request", body=body)
    start = await exchange.next()
    await exchange.end()

    assert start["status"] == 200
    [thread] = NotedUpload.threads
    assert thread != threading.get_ident()
