"""The probe over HTTP, in process: parameters, access and responses."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import AsyncClient, Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from tests.support.target import TargetServer

PATHS = ["/requests/", "/requests/async_to_sync"]
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def get(path: str, *, headers: dict[str, str] | None = None, **query: Any) -> Any:
    return await AsyncClient().get(path, query, headers=headers or {})


class Rows(HTMLParser):
    """The text of each table row of a page, under the heading before it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.heading = ""
        self.within: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.within.append(tag)
        if tag == "h2":
            self.heading = ""
        if tag == "tr":
            self.rows.setdefault(self.heading, []).append([])
        if tag in {"td", "th"}:
            self.rows[self.heading][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self.within and self.within.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "h2" in self.within:
            self.heading += data
        if self.within and self.within[-1] in {"td", "th"}:
            self.rows[self.heading][-1][-1] += data


@pytest.mark.parametrize("path", PATHS)
async def test_the_book_s_query_string_gets_the_book_s_page(
    target: TargetServer, path: str
) -> None:
    response = await get(path, url=f"{target.url}/ok", request_num=3)

    page = response.content.decode()
    assert response.status_code == 200
    assert "<title>Request Summary</title>" in page
    rows = Rows(page).rows
    header, *results = rows["Successful Results"]
    assert header[:2] == ["Status code", "Response time (microseconds)"]
    assert header[2].startswith("Response size")
    assert [row[0] for row in results] == ["200"] * 3
    assert [row[2] for row in results] == ["2"] * 3
    assert "Failures" in page
    assert len(target.asked) == 3


def test_the_context_has_the_book_s_names(target: TargetServer) -> None:
    response = Client().get(
        "/requests/", {"url": f"{target.url}/mixed", "request_num": "4"}
    )

    assert response.context is not None
    successes = response.context["successful_results"]
    failures = response.context["failed_results"]
    assert sorted(result.status for result in successes) == [200, 503]
    assert all(result.time > 0 for result in [*successes, *failures])
    assert {result.body_length for result in successes} == {2}
    assert len(failures) == 2


@pytest.mark.parametrize("status", [401, 500])
async def test_responses_with_an_error_status_are_not_shown_as_successes(
    target: TargetServer, status: int
) -> None:
    response = await get("/requests/", url=f"{target.url}/status/{status}")

    page = response.content.decode()
    rows = Rows(page).rows
    kind = f"answered {status // 100}xx"
    assert f"10 sent: 10 {kind}," in " ".join(page.split())
    assert "0 failed" not in page
    assert [row[0] for row in rows["Failures and error statuses"][1:]] == [kind] * 10
    assert "Successful Results" not in rows
    assert f"{kind.capitalize()}, status {status}" in page
    for absent in {"2xx", "3xx", "4xx", "5xx"} - {kind[-3:]}:
        # The verdict says that there were no 2xx and 3xx.
        assert f"nswered {absent}" not in page


async def test_each_class_of_outcomes_has_its_times_and_results(
    target: TargetServer,
) -> None:
    response = await get(
        "/requests/", url=f"{target.url}/mixed", request_num=8, concurrency=1
    )

    rows = Rows(response.content.decode()).rows
    times = rows["In short"]
    assert times[0] == ["Statistic", "2xx", "5xx"]
    assert times[1] == ["responses", "2", "2"]
    outcomes = [row[0].strip() for row in rows["Failures and error statuses"][1:]]
    assert sorted(outcomes) == ["answered 5xx"] * 2 + ["failed, disconnected"] * 4
    assert len(rows["Successful Results"]) == 3


def test_a_site_recognises_itself_by_the_requested_name_too(
    target: TargetServer,
) -> None:
    """A request through a proxy, which listens at another address than the site."""
    proxied = Client(headers={"host": f"127.0.0.1:{target.port}"})
    straight = {"url": f"{target.url}/ok", "format": "json"}
    moved = f"http://localhost:{target.port}/redirect?to={target.url}/ok"

    own = proxied.get("/requests/", straight)
    redirected = proxied.get("/requests/", straight | {"url": moved})
    other = Client().get("/requests/", straight)

    for response in (own, redirected):
        assert "this site itself" in response.json()["verdict"]["reasons"][0]
    assert "this site itself" not in str(other.json()["verdict"])


def test_the_page_says_that_the_target_is_the_site_itself(
    target: TargetServer,
) -> None:
    proxied = Client(headers={"host": f"127.0.0.1:{target.port}"})

    response = proxied.get("/requests/async_to_sync", {"url": f"{target.url}/ok"})

    page = response.content.decode()
    # A machine that does much else may make it INVALID.
    assert "SUSPECT: treat these numbers with care" in page or "INVALID: " in page
    assert "The target is this site itself" in page


async def test_without_a_url_there_is_a_form_with_an_example() -> None:
    response = await get("/requests/")

    page = response.content.decode()
    assert response.status_code == 200
    assert 'value="http://testserver/time"' in page
    for name in ("url", "request_num", "concurrency", "timeout", "method", "format"):
        assert f'name="{name}"' in page


async def test_the_form_keeps_the_values_of_the_query_string() -> None:
    page = (await get("/requests/", request_num=77)).content.decode()

    assert 'value="77"' in page


@pytest.mark.parametrize("path", PATHS)
async def test_the_json_has_samples_summary_and_server(
    target: TargetServer, path: str
) -> None:
    response = await get(path, url=f"{target.url}/mixed", request_num=8, format="json")

    answer = response.json()
    summary = answer["summary"]
    assert summary["sent"] == summary["answered"] + summary["failed"] == 8
    assert summary["statuses"] == {"200": 2, "503": 2}
    assert summary["failures"] == {"disconnected": 4}
    assert summary["latency"]["count"] == 2
    assert summary["other_latency"]["count"] == 2
    assert set(summary["latency"]) == {
        "count", "min", "mean", "p50", "p75", "p90", "p95", "p99", "max",
    }  # fmt: skip
    assert {"status", "time", "body_length"} <= set(answer["successful_results"][0])
    assert {"kind", "message", "time"} <= set(answer["failed_results"][0])
    assert set(answer["server"]) == {"gateway", "event_loop_id"}


async def test_the_csv_has_one_line_per_request(target: TargetServer) -> None:
    response = await get(
        "/requests/", url=f"{target.url}/mixed", request_num=4, format="csv"
    )

    lines = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert sorted(line["status"] for line in lines) == ["", "", "200", "503"]
    assert all(int(line["time_microseconds"]) > 0 for line in lines)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/json", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("image/png", "text/html; charset=utf-8"),
    ],
)
async def test_accept_is_honoured(
    target: TargetServer, accept: str, content_type: str
) -> None:
    response = await get(
        "/requests/",
        url=f"{target.url}/ok",
        request_num=1,
        headers={"accept": accept},
    )

    assert response["Content-Type"] == content_type


async def test_the_format_parameter_takes_precedence_over_accept(
    target: TargetServer,
) -> None:
    response = await get(
        "/requests/",
        url=f"{target.url}/ok",
        request_num=1,
        format="json",
        headers=BROWSER,
    )

    assert response["Content-Type"] == "application/json"


BAD = [
    ("url", ""),
    ("url", "nothing"),
    ("url", "ftp://example.org/"),
    ("url", "http://me:secret@example.org/"),
    ("url", "http://0x7f.1/"),
    ("url", "http://example.org:99999/"),
    ("url", "http://[::1"),
    ("url", "http://a\x00b/"),
    ("request_num", "0"),
    ("request_num", "1001"),
    ("request_num", "-1"),
    ("request_num", "1.5"),
    ("request_num", "many"),
    ("request_num", "9" * 5000),
    ("concurrency", "0"),
    ("concurrency", "201"),
    ("concurrency", "x"),
    ("timeout", "0"),
    ("timeout", "31"),
    ("timeout", "nan"),
    ("timeout", "inf"),
    ("timeout", "soon"),
    ("method", "POST"),
    ("method", "get"),
    ("format", "xml"),
]


@pytest.mark.parametrize(("field", "value"), BAD)
@pytest.mark.parametrize("path", PATHS)
async def test_a_bad_value_is_named_as_problem_details(
    path: str, field: str, value: str
) -> None:
    query = {"url": "http://127.0.0.1:1/", field: value}
    response = await get(path, **query, headers={"accept": "application/json"})

    problem = response.json()
    assert response.status_code == problem["status"] == 400
    assert response["Content-Type"] == "application/problem+json"
    assert problem["title"] == "Bad Request"
    [error] = problem["errors"]
    assert error["field"] == field
    assert value.startswith(error["value"].removesuffix("…"))
    assert error["message"].endswith(".")
    assert "secret" not in error["message"]


@pytest.mark.parametrize(("field", "value"), BAD)
async def test_a_bad_value_is_named_on_the_page(field: str, value: str) -> None:
    query = {"url": "http://127.0.0.1:1/", field: value}
    response = await get("/requests/", **query, headers=BROWSER)

    page = response.content.decode()
    if field == "format":
        # The requested format does not exist, so the browser's Accept decides.
        assert response["Content-Type"].startswith("text/html")
    assert response.status_code == 400
    assert f'id="id_{field}_error"' in page


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("extra", ["rate=10", "duration=1", "header=a:b", "x", "URL="])
async def test_an_unknown_parameter_is_an_error_for_programs_and_nothing_is_sent(
    target: TargetServer, path: str, extra: str
) -> None:
    query = f"request_num=2&{extra}&url={target.url}/ok"

    response = await AsyncClient().get(f"{path}?{query}&format=json")

    [error] = response.json()["errors"]
    assert response.status_code == 400
    assert error["field"] == extra.partition("=")[0]
    assert error["message"].startswith("This is not a parameter here: ")
    assert target.asked == []


async def test_bad_values_are_named_beside_an_unknown_parameter() -> None:
    response = await get("/requests/", url="x", request_num="0", rate="10")

    fields = [error["field"] for error in response.json()["errors"]]
    assert sorted(fields) == ["rate", "request_num", "url"]


class Offered(HTMLParser):
    """The targets of the links in a page's notice, by their text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self.href = ""
        _, _, notice = page.partition('<div class="notice wrong"')
        self.feed(notice.partition("</div>")[0])

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        if tag == "a":
            self.href = dict(attributes)["href"]

    def handle_endtag(self, tag: str) -> None:
        self.href = ""

    def handle_data(self, data: str) -> None:
        if self.href:
            self.links[data] = self.href


@pytest.mark.parametrize("path", PATHS)
async def test_an_unencoded_ampersand_gets_a_notice_with_a_corrected_link(
    target: TargetServer, path: str
) -> None:
    meant = f"{target.url}/headers?a=1&b=%26&c=x+y&url=z&c"
    query = f"?request_num=1&url={meant}&format=html"

    response = await AsyncClient().get(f"{path}{query}", headers=BROWSER)

    page = response.content.decode()
    assert response.status_code == 400
    assert "Nothing was sent" in page
    assert target.asked == []
    links = Offered(page).links
    assert next(iter(links)) == f"Probe {meant}"
    sent = await AsyncClient().get(f"{path}{links[f'Probe {meant}']}", headers=BROWSER)
    assert sent.status_code == 200
    assert [asked.target.partition("?")[0] for asked in target.asked] == ["/headers"]
    assert target.asked[0].query["url"] == "z"


async def test_programs_get_a_hint_to_encode_an_ampersand() -> None:
    response = await AsyncClient().get("/requests/?url=http://h/a&b=c&format=json")

    [error] = response.json()["errors"]
    assert (error["field"], error["value"]) == ("b", "c")
    assert error["message"].endswith("as %26: url=http%3A%2F%2Fh%2Fa%26b%3Dc")


async def test_a_misspelt_parameter_gets_a_corrected_link() -> None:
    response = await AsyncClient().get(
        "/requests/?request_nun=3&url=http://127.0.0.1/", headers=BROWSER
    )

    links = Offered(response.content.decode()).links
    assert links["Read request_nun as request_num"] == (
        "?request_num=3&url=http%3A%2F%2F127.0.0.1%2F"
    )


async def test_the_form_without_a_url_names_unknown_parameters() -> None:
    response = await AsyncClient().get("/requests/?rate=10", headers=BROWSER)

    page = response.content.decode()
    assert response.status_code == 400
    assert "<code>rate</code>: This is not a parameter here" in page
    assert 'value="http://testserver/time"' in page


@pytest.mark.parametrize("headers", [{}, BROWSER])
async def test_two_urls_are_an_error(
    target: TargetServer, headers: dict[str, str]
) -> None:
    response = await AsyncClient().get(
        f"/requests/?url={target.url}/ok&url={target.url}/headers", headers=headers
    )

    page = response.content.decode()
    assert response.status_code == 400
    assert "This is given 2 times: give it once." in page
    assert target.asked == []
    if headers:
        assert list(Offered(page).links) == [
            f"Only url={target.url}/ok",
            f"Only url={target.url}/headers",
        ]


@pytest.mark.parametrize("written", ["2_0", "+20", "２０", "20.0", " 20 "])
async def test_the_form_shows_the_number_as_parsed(
    target: TargetServer, written: str
) -> None:
    response = await get("/requests/", url=f"{target.url}/ok", request_num=written)

    assert len(target.asked) == 20
    [shown] = re.findall(r'name="request_num" value="(.*?)"', response.content.decode())
    assert shown == "20"


async def test_a_bad_value_is_marked_before_there_is_a_url() -> None:
    response = await get("/requests/", request_num="0", method="PUT", headers=BROWSER)

    page = response.content.decode()
    assert response.status_code == 400
    assert 'id="id_request_num_error"' in page
    assert 'id="id_method_error"' in page
    assert 'value="http://testserver/time"' in page


async def test_all_bad_values_are_named_together() -> None:
    response = await get(
        "/requests/",
        url="x",
        request_num="0",
        concurrency="0",
        timeout="0",
        method="x",
        format="x",
    )

    fields = {error["field"] for error in response.json()["errors"]}
    assert fields == {
        "url", "request_num", "concurrency", "timeout", "method", "format",
    }  # fmt: skip


@hypothesis_settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.dictionaries(
        st.sampled_from(
            ["url", "request_num", "concurrency", "timeout", "method", "format"]
        ),
        st.text(max_size=40)
        | st.integers().map(str)
        | st.floats().map(str)
        | st.text(max_size=10).map("http://10.0.0.1/".__add__),
    ),
    st.sampled_from(["text/html", "application/json", "text/csv", "*/*", "x", ""]),
)
def test_no_query_string_is_a_server_error(query: dict[str, str], accept: str) -> None:
    if query.get("url", "").startswith(("http://", "https://")):
        # Every target is refused, so that the test connects to no other host.
        query["url"] = "http://10.0.0.1/"

    response = Client(raise_request_exception=True).get(
        "/requests/", query, headers={"accept": accept}
    )

    assert response.status_code in {200, 400, 403}


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "169.254.169.254", "[fd00::1]", "[::ffff:10.0.0.1]", "0.0.0.0"],
)
async def test_a_private_target_is_refused_with_how_to_allow_it(host: str) -> None:
    for headers, expected in (({}, "json"), (BROWSER, "html")):
        response = await get("/requests/", url=f"http://{host}/", headers=headers)

        assert response.status_code == 403
        assert expected in response["Content-Type"]
        assert "PROBE_PRIVATE_TARGETS" in response.content.decode()


async def test_a_refusal_does_not_reveal_whether_something_listens(
    target: TargetServer, settings: Settings
) -> None:
    from async_api.outbound.private_targets import PrivateTargets

    settings.PROBE_PRIVATE_TARGETS = PrivateTargets()
    taken, free = f"http://127.0.0.1:{target.port}/", "http://127.0.0.1:1/"

    answers = [
        (await get("/requests/", url=url)).content.decode().replace(url, "URL")
        for url in (taken, free)
    ]

    assert answers[0] == answers[1]
    assert target.connections == 0


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_site_s_page_cannot_start_a_probe(
    target: TargetServer, site: str
) -> None:
    image = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors"}

    response = await get("/requests/", url=f"{target.url}/ok", headers=image)

    assert response.status_code == 403
    assert target.connections == 0


@pytest.mark.parametrize("query", [{}, {"format": "json"}])
async def test_a_link_on_another_site_leads_to_the_form_filled_in(
    target: TargetServer, query: dict[str, str]
) -> None:
    link = BROWSER | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}

    response = await get("/requests/", url=f"{target.url}/ok", headers=link, **query)

    assert response.status_code == 403
    assert f'value="{target.url}/ok"' in response.content.decode()
    assert "nothing has been sent yet" in response.content.decode()
    assert target.connections == 0


@pytest.mark.parametrize("site", ["none", "same-origin"])
async def test_a_bookmark_or_a_typed_address_starts_a_probe(
    target: TargetServer, site: str
) -> None:
    link = BROWSER | {"sec-fetch-site": site, "sec-fetch-mode": "navigate"}

    response = await get("/requests/", url=f"{target.url}/ok", headers=link)

    assert response.status_code == 200
    assert len(target.asked) == 10


async def test_a_prefetch_does_not_start_a_probe(target: TargetServer) -> None:
    response = await get(
        "/requests/", url=f"{target.url}/ok", headers={"sec-purpose": "prefetch"}
    )

    assert response.status_code == 503
    assert target.connections == 0


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.django_db(transaction=True)
def test_if_only_staff_may_probe_others_are_sent_to_the_login_and_back(
    target: TargetServer, settings: Settings, path: str
) -> None:
    settings.PROBE_ACCESS = "staff"
    User.objects.create_user("visitor", password="visitor's")
    User.objects.create_superuser("staff", password="staff's")
    query = {"url": f"{target.url}/ok", "request_num": "2"}
    client = Client(headers=BROWSER)

    login = client.get(path, query)
    assert login.status_code == 302
    assert login["Location"].startswith("/admin/login/?next=/requests/")

    client.force_login(User.objects.get(username="visitor"))
    assert client.get(path, query).status_code == 302
    assert target.connections == 0

    credentials = {"username": "staff", "password": "staff's"}
    back = client.post(login["Location"], credentials, follow=True)
    assert "<title>Request Summary</title>" in back.content.decode()
    assert len(target.asked) == 2


@pytest.mark.django_db(transaction=True)
def test_another_site_cannot_start_a_probe_through_the_login(
    target: TargetServer, settings: Settings
) -> None:
    settings.PROBE_ACCESS = "staff"
    User.objects.create_superuser("staff", password="staff's")
    link = BROWSER | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    client = Client()

    login = client.get("/requests/", {"url": f"{target.url}/ok"}, headers=link)
    credentials = {"username": "staff", "password": "staff's"}
    back = client.post(login["Location"], credentials, follow=True)

    assert back.status_code == 200
    assert "Request Summary" not in back.content.decode()
    assert target.connections == 0


@pytest.mark.django_db
def test_a_program_without_staff_access_gets_an_error(settings: Settings) -> None:
    settings.PROBE_ACCESS = "staff"

    response = Client().get("/requests/", {"url": "http://10.0.0.1/"})

    assert response.status_code == 403
    assert json.loads(response.content)["title"] == "Forbidden"


@pytest.mark.parametrize("headers", [{}, BROWSER])
async def test_too_many_parameters_are_a_bad_request(headers: dict[str, str]) -> None:
    query = "&".join(f"p{number}=1" for number in range(1001))

    response = await AsyncClient().get(f"/requests/?{query}", headers=headers)

    assert response.status_code == 400


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["post", "put", "delete", "head"])
def test_a_probe_accepts_only_get(path: str, method: str) -> None:
    response: HttpResponse = getattr(Client(), method)(path)

    assert response.status_code == 405
    assert response["Allow"] == "GET"


async def test_a_thousand_results_make_a_page_of_modest_size(
    target: TargetServer,
) -> None:
    response = await get(
        "/requests/", url=f"{target.url}/ok", request_num=1000, concurrency=50
    )

    page = response.content.decode()
    assert len(Rows(page).rows["Successful Results"]) == 1001
    assert len(page) < 200_000
