"""The JSON document of a plan."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import async_api.load.plan
from async_api.load.plan.document import (
    parse_document,
    plan_schema,
    read_plan,
    read_plan_text,
    write_plan,
)
from async_api.load.plan.errors import InvalidPlan
from async_api.load.plan.headers import without_secrets
from async_api.load.plan.plan import Closed, Conditions, Header, Plan, Rate, Steps
from tests.async_api.load.plan.plans import (
    ANYTHING,
    DOCUMENTS,
    LIMITS,
    LOADS,
    MEMBERS,
    URL,
    document,
    unhurried,
    with_request,
)

PUBLISHED = Path(async_api.load.plan.__path__[0]) / "plan.schema.json"
VALIDATOR = jsonschema_rs.Draft202012Validator(plan_schema())
RATE = {"kind": "rate", "rate": 10, "seconds": 5}
STEPS = {"kind": "steps", "of": "rate", "values": [1, 2], "seconds": 5}


def read(value: object, *, files: bool = False) -> Plan:
    return read_plan(value, LIMITS, files=files)


def refusals(value: object, *, files: bool = False) -> dict[str, str]:
    """The messages by their locations."""
    with pytest.raises(InvalidPlan) as raised:
        read(value, files=files)
    errors = raised.value.errors
    assert len({error.location for error in errors}) == len(errors)
    return {error.location: error.message for error in errors}


@unhurried
@given(DOCUMENTS)
def test_reading_what_was_written_gives_an_equal_plan(asked: dict[str, Any]) -> None:
    plan = read(asked)
    written = write_plan(plan)

    assert read_plan_text(json.dumps(written), LIMITS) == plan
    assert write_plan(read(written)) == written


@unhurried
@given(DOCUMENTS)
def test_valid_documents_agree_with_the_schema(asked: dict[str, Any]) -> None:
    VALIDATOR.validate(asked)
    VALIDATOR.validate(write_plan(read(asked)))


@pytest.mark.parametrize(
    "asked",
    [
        document(x=1),
        document(load={"kind": "closed"}),
        document(load={"kind": "closed", "seconds": "5"}),
        with_request(headers=[["A"]]),
        with_request(body={"text": "a", "json": 1}),
        with_request(checks={"statuses": ["6xx"]}),
        with_request(authentication={"user": "a"}),
    ],
)
def test_the_schema_refuses_what_is_refused(asked: dict[str, Any]) -> None:
    assert refusals(asked)
    assert not VALIDATOR.is_valid(asked)


def test_the_published_schema_is_the_schema() -> None:
    """To publish it again: `python -m async_api.load.plan.document > …/plan.schema.json`."""
    assert json.loads(PUBLISHED.read_text()) == plan_schema()
    jsonschema_rs.validator_for(plan_schema())


def test_every_member_of_the_schema_has_a_description() -> None:
    silent = [
        f"{name}.{member}"
        for name, model in [("", plan_schema()), *plan_schema()["$defs"].items()]
        for member, described in model["properties"].items()
        if "description" not in described and member != "kind"
    ]

    assert silent == []


@unhurried
@given(
    ANYTHING
    | st.fixed_dictionaries(
        {"requests": st.lists(ANYTHING, max_size=2), "load": LOADS | ANYTHING},
        optional={"conditions": ANYTHING, "budgets": ANYTHING},
    )
    | st.builds(
        lambda members: with_request(**members), st.dictionaries(MEMBERS, ANYTHING)
    )
)
def test_whatever_is_not_a_plan_is_refused(asked: object) -> None:
    try:
        plan = read(asked)
    except InvalidPlan as invalid:
        assert invalid.errors
        # A page or a terminal can show it.
        assert str(invalid).encode()
    else:
        assert read(write_plan(plan)) == plan


def test_all_errors_are_found_at_once() -> None:
    found = refusals(
        {
            "requests": [
                {
                    "url": "ftp://a/",
                    "headers": [["A b", "c"], ["A", "b\nc"]],
                    "weight": "5",
                },
                {"url": URL, "body": {"file": "/a"}, "name": "x"},
                {"url": URL, "name": "x"},
            ],
            "load": RATE | {"rate": 5001},
            "conditions": {"warm_up_seconds": 5, "keep_alive": "yes"},
            "budgets": ["p95<200ms", "p95<200"],
            "budget": [],
        }
    )

    assert found == {
        "requests[0].url": "it must start with http:// or https://",
        "requests[0].headers[0].name": found["requests[0].headers[0].name"],
        "requests[0].headers[1].value": "has the control character '\\n' at position 1; "
        "it must be one line of text",
        "requests[0].weight": "must be a whole number, not text",
        "requests[1].body.file": found["requests[1].body.file"],
        "requests[2].name": "is already the name of requests[1]; names are unique",
        "load.rate": "must be at most 5000 (LOAD_MAX_RATE)",
        "conditions.keep_alive": "must be true or false, not text",
        "budgets[1]": found["budgets[1]"],
        "budget": "is not known here; did you mean budgets?",
    }


@pytest.mark.parametrize(
    ("asked", "location", "said"),
    [
        ([], "", "must be an object"),
        ({}, "requests", "is missing"),
        ({}, "load", "is missing"),
        (document(requests=[]), "requests", "must have at least 1 entry"),
        (document(requests=[{"url": URL}] * 21), "requests", "at most 20 entries"),
        (document(requests=[{}]), "requests[0].url", "is missing"),
        (with_request(url="http://a/\x00"), "requests[0].url", "must be removed or"),
        (with_request(url=5), "requests[0].url", "must be text"),
        (
            with_request(url=f"http://a/{'é' * 400}"),
            "requests[0].url",
            "more than 2048 characters long when it is percent-encoded",
        ),
        (with_request(name=""), "requests[0].name", "must not be empty"),
        (with_request(name="a\nb"), "requests[0].name", "one line"),
        (with_request(name="a" * 81), "requests[0].name", "at most 80 characters"),
        (with_request(method="A B"), "requests[0].method", "such as GET or POST"),
        (with_request(method="Connect"), "requests[0].method", "asks a proxy"),
        (with_request(weight=0), "requests[0].weight", "must be at least 1"),
        (with_request(weight=1.5), "requests[0].weight", "must be a whole number"),
        (with_request(weight=True), "requests[0].weight", "must be a whole number"),
        (with_request(headers={"A": "b"}), "requests[0].headers", "must be a list"),
        (with_request(headers=["A: b"]), "requests[0].headers[0]", "an object"),
        (
            with_request(headers=[["A"]]),
            "requests[0].headers[0]",
            'be ["Name", "value"]',
        ),
        (with_request(headers=[["A", 1]]), "requests[0].headers[0].value", "be text"),
        (
            with_request(headers=[["Host", "a"], ["host", "b"]]),
            "requests[0].headers",
            "at most one Host",
        ),
        (
            with_request(
                headers=[["Authorization", "a"]], authentication={"bearer": "b"}
            ),
            "requests[0].authentication",
            "beside an Authorization header",
        ),
        (
            with_request(authentication={"bearer": "a", "user": "b", "password": "c"}),
            "requests[0].authentication",
            'either "bearer", or both "user" and "password"',
        ),
        (
            with_request(authentication={"user": "a:b", "password": "c"}),
            "requests[0].authentication",
            "a user without a colon",
        ),
        (with_request(body={}), "requests[0].body", "must have exactly one of text"),
        (
            with_request(body={"text": "a", "json": None}),
            "requests[0].body",
            "but has 2",
        ),
        (with_request(body={"text": "a" * 1001}), "requests[0].body.text", "than 1000"),
        (with_request(body={"text": "\ud800"}), "requests[0].body.text", "surrogates"),
        (with_request(body={"json": "\ud800"}), "requests[0].body.json", "as JSON"),
        (with_request(body={"json": [1e999]}), "requests[0].body.json", "as JSON"),
        (
            with_request(body={"base64": "a"}),
            "requests[0].body.base64",
            "is not Base64",
        ),
        (with_request(body={"form": []}), "requests[0].body.form", "at least 1 entry"),
        (
            with_request(body={"form": [{"name": "a"}]}),
            "requests[0].body.form[0]",
            "must have exactly one of value, file, but has none",
        ),
        (
            with_request(
                headers=[["Content-Type", "a/b"]],
                body={"form": [{"name": "a", "value": "b"}]},
            ),
            "requests[0].headers",
            "the body's form sets it",
        ),
        (
            with_request(checks={"matches": "a(b"}),
            "requests[0].checks.matches",
            "missing ), unterminated subpattern, at position 1",
        ),
        (
            with_request(checks={"statuses": [200, "299-200"]}),
            "requests[0].checks.statuses[1]",
            "in order, as 200-299",
        ),
        (
            with_request(checks={"statuses": [99]}),
            "requests[0].checks.statuses[0]",
            "a status from 100 to 599, a range such as 200-299, or a class",
        ),
        (with_request(checks={"contains": ""}), "requests[0].checks.contains", "empty"),
        (with_request(checks={"header": "A:"}), "requests[0].checks.header", "ETag"),
        (
            with_request(checks={"minimum_bytes": 2, "maximum_bytes": 1}),
            "requests[0].checks",
            "minimum_bytes of at most maximum_bytes",
        ),
        (document(load={}), "load", 'must have a "kind"'),
        (document(load={"kind": "open"}), "load", "has the kind open, which must be"),
        (document(load={"kind": "closed"}), "load", "exactly one of requests, seconds"),
        (
            document(load={"kind": "closed", "requests": 1, "seconds": 1}),
            "load",
            "but has 2",
        ),
        (
            document(load={"kind": "closed", "requests": 1_000_001}),
            "load.requests",
            "at most 1000000 (LOAD_MAX_REQUESTS)",
        ),
        (
            document(load={"kind": "closed", "requests": 1, "connections": 1001}),
            "load.connections",
            "at most 1000 (LOAD_MAX_CONNECTIONS)",
        ),
        (document(load=RATE | {"rate": 0}), "load.rate", "must be more than 0"),
        (document(load=RATE | {"rate": float("nan")}), "load.rate", "finite number"),
        (document(load=RATE | {"seconds": 601}), "load.seconds", "(LOAD_MAX_SECONDS)"),
        (
            document(load=RATE | {"rate": 5000, "seconds": 201}),
            "load",
            "makes 1005000 requests, and a run can have at most 1000000",
        ),
        (document(load=RATE | {"seed": 1}), "load", "with poisson spacing only"),
        (document(load=RATE | {"rat": 1}), "load.rat", "did you mean rate?"),
        (document(load=RATE | {"spacing": "odd"}), "load.spacing", "even or poisson"),
        (
            document(load=STEPS | {"seconds": 301}),
            "load.seconds",
            "make 602 s of 2 steps, and a run can have at most 600 s",
        ),
        (
            document(load=STEPS | {"values": [1, 6000]}),
            "load.values[1]",
            "at most 5000 (LOAD_MAX_RATE)",
        ),
        (
            document(load=STEPS | {"values": [4000, 5000], "seconds": 120}),
            "load",
            "makes 1080000 requests",
        ),
        (
            document(load=STEPS | {"values": [1] * 101}),
            "load.values",
            "must have at most 100 entries",
        ),
        (
            document(load=STEPS | {"of": "connections", "connections": 5}),
            "load",
            "has no connections, spacing or seed",
        ),
        (
            document(load=STEPS | {"of": "connections", "values": [1.5]}),
            "load",
            "all values are whole numbers",
        ),
        (
            document(load=STEPS | {"of": "connections", "values": [1001]}),
            "load.values[0]",
            "(LOAD_MAX_CONNECTIONS)",
        ),
        (
            document(load=STEPS, conditions={"warm_up_seconds": 10}),
            "conditions.warm_up_seconds",
            "must be less than the 10 s of the run",
        ),
        (
            document(conditions={"insecure": True, "ca_file": "/a"}),
            "conditions",
            "must not have both insecure and ca_file",
        ),
        (document(conditions={"ip": 4}), "conditions.ip", "must be either, 4 or 6"),
        (
            document(conditions={"response_seconds": 181}),
            "conditions.response_seconds",
            "must be at most 180",
        ),
        (document(budgets=["p95"]), "budgets[0]", "must be a metric"),
    ],
)
def test_what_is_not_valid_says_where_and_what_would_be(
    asked: object, location: str, said: str
) -> None:
    found = refusals(asked)

    assert said in found[location]


@pytest.mark.parametrize(
    "name", ["Content-Length", "transfer-encoding", "Connection", "Upgrade", "EXPECT"]
)
def test_headers_that_frame_the_request_are_refused_with_a_reason(name: str) -> None:
    found = refusals(with_request(headers=[[name, "a"]]))

    assert found["requests[0].headers[0].name"].endswith("; remove this header")


@pytest.mark.parametrize(
    "members",
    [
        {"headers": {"Authorization": "s3cret"}},
        {"headers": [["Authorization", "s3cret\n"]]},
        {"headers": [["Authorization", "s3cret", 1]]},
        {"headers": ["Authorization: s3cret"]},
        {"authentication": "s3cret"},
        {"authentication": {"bearer": "s3cret", "user": "a"}},
        {"authentication": {"bearer": ["s3cret"]}},
        {"url": "http://me:s3cret@example.org/"},
    ],
)
def test_errors_do_not_show_secrets(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidPlan) as raised:
        read(with_request(**members))

    assert raised.value.errors
    assert "s3cret" not in str(raised.value)


def test_an_error_shows_the_beginning_of_a_long_value() -> None:
    with pytest.raises(InvalidPlan) as raised:
        read(with_request(method="A " * 100))

    [error] = raised.value.errors
    assert error.value == ("A " * 100)[:79] + "…"
    assert str(error) == f"requests[0].method {error.value}: {error.message}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "not a JSON document"),
        (b"\xff", "not a JSON document"),
        ("{", "not a JSON document"),
        ('{"a": NaN}', "NaN is not a number of JSON"),
        ('{"load": 1, "load": 2}', "the member load is given 2 times"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 10_000, "not a JSON document"),
    ],
)
def test_a_text_that_is_not_json_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(InvalidPlan, match=said):
        parse_document(text)


def test_a_plan_has_the_defaults_that_the_schema_states() -> None:
    plan = read(document())
    [request] = plan.requests

    assert (request.method, request.name, request.weight) == ("GET", "GET /a", 1)
    assert str(request.target) == URL
    assert plan.load == Closed(connections=2, requests=10)
    assert plan.conditions == Conditions()
    assert plan.budgets == ()


def test_a_request_with_a_body_is_a_post_unless_it_says_otherwise() -> None:
    assert read(with_request(body={"text": ""})).requests[0].method == "POST"
    assert (
        read(with_request(body={"text": ""}, method="PUT")).requests[0].method == "PUT"
    )


def test_default_names_are_made_unique() -> None:
    plan = read(
        document(
            requests=[
                {"url": URL},
                {"url": URL},
                {"url": "http://example.org/"},
                {"url": URL, "name": "GET /a (2)"},
            ]
        )
    )

    names = [request.name for request in plan.requests]
    assert names == ["GET /a", "GET /a (3)", "GET /", "GET /a (2)"]


def test_a_json_body_says_what_it_is() -> None:
    [request] = read(with_request(body={"json": {"ä": [1, None]}})).requests
    assert request.body == '{"ä":[1,null]}'.encode()
    assert request.headers == (Header("Content-Type", "application/json"),)

    given = [["content-type", "application/ld+json"]]
    [request] = read(with_request(headers=given, body={"json": None})).requests
    assert request.body == b"null"
    assert request.headers == (Header("content-type", "application/ld+json"),)


def test_secret_headers_are_secret_by_default() -> None:
    plan = read(
        document(
            requests=[
                {
                    "url": URL,
                    "headers": [
                        ["cookie", "a=b"],
                        ["Proxy-Authorization", "c"],
                        {"name": "X-Key", "value": " d\t", "secret": True},
                        {"name": "Authorization", "value": "e", "secret": False},
                        ["Accept", "*/*"],
                    ],
                },
                {"url": URL, "authentication": {"bearer": "f"}},
                {"url": URL, "authentication": {"user": "ü", "password": " g:"}},
            ]
        )
    )

    assert plan.requests[0].headers == (
        Header("cookie", "a=b", secret=True),
        Header("Proxy-Authorization", "c", secret=True),
        Header("X-Key", "d", secret=True),
        Header("Authorization", "e"),
        Header("Accept", "*/*"),
    )
    assert plan.requests[1].headers == (
        Header("Authorization", "Bearer f", secret=True),
    )
    assert plan.requests[2].headers == (
        Header("Authorization", "Basic w7w6IGc6", secret=True),
    )
    shown = json.dumps(write_plan(without_secrets(plan)))
    assert shown.count("(secret)") == 5
    assert '["Accept", "*/*"]' in shown
    for secret in ("a=b", "Bearer", "Basic"):
        assert secret not in shown


def test_files_are_read_only_where_they_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "ä.bin"
    path.write_bytes(b"\x80" * 1000)
    asked = with_request(body={"file": str(path)})

    assert read(asked, files=True).requests[0].body == b"\x80" * 1000
    assert "cannot be read here" in refusals(asked)["requests[0].body.file"]

    path.write_bytes(b"\x80" * 1001)
    assert "LOAD_MAX_BODY_BYTES" in refusals(asked, files=True)["requests[0].body.file"]
    path.unlink()
    assert (
        "cannot be read (No such file"
        in (refusals(asked, files=True)["requests[0].body.file"])
    )
    asked = with_request(body={"file": "a\x00"})
    assert "cannot be read" in refusals(asked, files=True)["requests[0].body.file"]


def test_a_file_of_certificates_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    asked = document(conditions={"ca_file": str(path)})
    assert refusals(asked, files=True) == {"conditions.ca_file": "is not a file"}

    path.touch()
    assert read(asked, files=True).conditions.ca_file == str(path)
    assert "files are not read" in refusals(asked)["conditions.ca_file"]


def test_a_form_is_sent_as_browsers_send_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\r\n\xff")
    form = [
        {"name": 'a"b', "value": "ü"},
        {"name": "f", "file": str(path)},
        {"name": "g", "file": str(path), "filename": "c\n.png", "type": "image/png"},
    ]

    [request] = read(with_request(body={"form": form}), files=True).requests

    [header] = request.headers
    kind, boundary = header.value.split("; boundary=")
    assert (header.name, kind) == ("Content-Type", "multipart/form-data")
    assert (
        request.body
        == (
            f'--{boundary}\r\nContent-Disposition: form-data; name="a%22b"\r\n\r\nü\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        + b"\r\n\xff"
        + (
            f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="g"; '
            'filename="c%0A.png"\r\nContent-Type: image/png\r\n\r\n'
        ).encode()
        + b"\r\n\xff"
        + f"\r\n--{boundary}--\r\n".encode()
    )

    path.unlink()
    found = refusals(with_request(body={"form": form[:2]}), files=True)
    assert "No such file" in found["requests[0].body.form[1].file"]


def test_rates_have_at_most_64_connections_by_default() -> None:
    assert read(document(load=RATE)).load == Rate(rate=10, seconds=5, connections=64)
    assert read(document(load=STEPS)).load == Steps(
        of="rate", values=(1, 2), seconds=5, connections=64
    )


def test_steps_of_connections_have_as_many_as_their_highest() -> None:
    load = STEPS | {"of": "connections", "values": [5, 80, 7]}

    assert read(document(load=load)).load == Steps(
        of="connections", values=(5, 80, 7), seconds=5, connections=80
    )


def test_statuses_are_numbers_ranges_and_classes() -> None:
    [request] = read(
        with_request(checks={"statuses": ["2xx", 404, "300-302"]})
    ).requests

    assert request.checks.statuses == frozenset((*range(200, 303), 404))
    written = write_plan(read(with_request(checks={"statuses": ["2xx", 404, 300]})))
    assert written["requests"][0]["checks"] == {"statuses": ["200-300", 404]}
