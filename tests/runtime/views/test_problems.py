"""Every error has one shape, whatever caused it: problem details or a page."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from pytest_django import Settings

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.asgi.problem_details import FieldError
from async_views.urls import urlpatterns as site_urlpatterns

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


# The site's own routes, and some that fail.
pytestmark = pytest.mark.urls(__name__)


def crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a crash on purpose")


async def crash_later(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a crash on purpose")


def refuse(request: HttpRequest) -> HttpResponse:
    error = FieldError("colour", "<loud>", "It should be a colour.")
    raise Problem(409, "No such colour.", [error], headers={"Retry-After": "7"})


async def refuse_later(request: HttpRequest) -> HttpResponse:
    return refuse(request)


def bare(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("gone", status=410)
    response.set_cookie("kept", "yes")
    return response


class Held:
    closed = False

    def close(self) -> None:
        self.closed = True


held = Held()


def holding(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("gone", status=410)
    response._resource_closers.append(held.close)  # type: ignore[attr-defined]
    return response


urlpatterns = [
    *site_urlpatterns,
    path("holding", holding),
    path("crash", crash),
    path("crash-later", crash_later),
    path("refuse", refuse),
    path("refuse-later", refuse_later),
    path("bare", bare),
]

ERRORS = [
    ("GET", "/nowhere", 404),
    ("POST", "/time", 405),
    ("DELETE", "/requests/", 405),
    ("GET", "/requests/?url=x", 400),
    ("GET", "/requests/?url=http://10.0.0.1/", 403),
    ("GET", "/requests/sync_to_async?num_calls=x", 400),
    ("GET", "/admin/nowhere/", 302),
    ("POST", "/admin/login/", 403),
    ("GET", "/crash", 500),
    ("GET", "/crash-later", 500),
    ("GET", "/refuse", 409),
    ("GET", "/refuse-later", 409),
    ("GET", "/bare", 410),
    ("GET", "/%ff", 404),
]


def answer(method: str, url: str, headers: dict[str, str]) -> Any:
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    return client.generic(method, url, headers=headers)


@pytest.mark.parametrize(("method", "url", "status"), ERRORS)
@pytest.mark.parametrize("debug", [False, True])
def test_a_program_gets_problem_details(
    settings: Settings, method: str, url: str, status: int, debug: bool
) -> None:
    settings.DEBUG = debug

    response = answer(method, url, {"accept": "application/json"})

    assert response.status_code == status
    if status < 400:
        return
    problem = response.json()
    assert response["Content-Type"] == "application/problem+json"
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"].endswith(".")


@pytest.mark.parametrize(("method", "url", "status"), ERRORS)
def test_a_browser_gets_a_page(method: str, url: str, status: int) -> None:
    response = answer(method, url, BROWSER)

    page = response.content.decode()
    assert response.status_code == status
    if status < 400:
        return
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert '<html lang="en">' in page
    assert "<h1>" in page
    assert "Traceback" not in page


async def test_the_shape_is_the_same_without_a_thread() -> None:
    client = AsyncClient(raise_request_exception=False)

    for url, status in (("/crash-later", 500), ("/refuse-later", 409), ("/x", 404)):
        response = await client.get(url)

        assert response.status_code == response.json()["status"] == status


def test_a_problem_names_each_bad_value_and_when_to_retry() -> None:
    response = answer("GET", "/refuse", {})

    assert response["Retry-After"] == "7"
    assert response.json()["errors"] == [
        {"field": "colour", "value": "<loud>", "message": "It should be a colour."}
    ]
    page = answer("GET", "/refuse", BROWSER).content.decode()
    assert "&lt;loud&gt;" in page
    assert "<loud>" not in page


def test_existing_header_fields_are_kept() -> None:
    assert answer("POST", "/time", {})["Allow"] == "GET, HEAD"
    assert answer("GET", "/bare", {}).cookies["kept"].value == "yes"


def test_django_s_technical_page_is_left_to_the_developer(settings: Settings) -> None:
    settings.DEBUG = True

    response = answer("GET", "/crash", BROWSER)

    assert "Traceback" in response.content.decode()
    assert "'unsafe-inline'" in response["Content-Security-Policy"]


def test_a_form_without_its_csrf_token_gets_the_remedy() -> None:
    response = answer("POST", "/admin/login/", {})

    assert response.status_code == 403
    assert "Reload the page" in response.json()["detail"]


def test_an_unknown_host_is_a_problem_too(caplog: pytest.LogCaptureFixture) -> None:
    response = Client().get("/time", headers={"host": "evil.example"})

    assert response.status_code == 400
    assert response.json()["title"] == "Bad Request"
    assert (
        "'evil.example' is not a host of this site: ALLOWED_HOSTS names"
        in response.json()["detail"]
    )
    [record] = [r for r in caplog.records if r.name.endswith("DisallowedHost")]
    assert record.exc_info is None


@pytest.mark.usefixtures("django_db_setup")
@pytest.mark.parametrize("client", [Client(), AsyncClient()])
async def test_health_checks_work_with_any_host_and_without_tls(
    client: Any, settings: Settings, transactional_db: None
) -> None:
    settings.SECURE_SSL_REDIRECT = True

    for asked in ("/healthz", "/readyz"):
        ask = sync_to_async(client.get) if isinstance(client, Client) else client.get
        assert (await ask(asked, headers={"host": "10.1.2.3"})).status_code == 200


def test_a_replaced_response_is_closed_without_ending_the_request() -> None:
    finished: list[object] = []
    held.closed = False

    def note(**named: object) -> None:
        finished.append(named["sender"])

    request_finished.connect(note)
    try:
        response = Client().get("/holding", headers={"accept": "application/json"})
    finally:
        request_finished.disconnect(note)

    assert response.json()["status"] == 410
    assert held.closed
    assert len(finished) == 1
