"""Plans made from the options of a command line."""

from pathlib import Path

import pytest

from async_api.load.plan.command_line.document import plan_document
from async_api.load.plan.errors import InvalidPlan
from async_api.load.plan.plan import (
    Checks,
    Closed,
    Conditions,
    Header,
    Load,
    Rate,
    Request,
    Steps,
)
from tests.async_api.load.plan.command_line.parsing import parsed, read
from tests.async_api.load.plan.plans import LIMITS, URL


def refusals(*words: str, stdin: bytes = b"") -> list[str]:
    with pytest.raises(InvalidPlan) as raised:
        read(*words, stdin=stdin)
    return [str(error) for error in raised.value.errors]


def request(*words: str) -> Request:
    [request] = read(URL, *words).plan.requests
    return request


@pytest.mark.parametrize(
    ("words", "load"),
    [
        ("", Closed(connections=10, seconds=10)),
        ("-n 500 -c 20", Closed(connections=20, requests=500)),
        ("-s 0.5", Closed(connections=10, seconds=0.5)),
        ("-r 100", Rate(rate=100, seconds=10, connections=64)),
        (
            "--rate 99.5 --seconds 5 -c 3 --poisson --seed 7",
            Rate(rate=99.5, seconds=5, connections=3, spacing="poisson", seed=7),
        ),
        (
            "--steps 100,200,400 -s 3",
            Steps(of="rate", values=(100, 200, 400), seconds=3, connections=64),
        ),
        (
            "--steps 1,2 --step-of connections",
            Steps(of="connections", values=(1, 2), seconds=10, connections=2),
        ),
    ],
)
def test_options_make_a_load(words: str, load: Load) -> None:
    assert read(URL, *words.split()).plan.load == load


def test_options_make_conditions_and_budgets() -> None:
    plan = read(
        *(
            URL,
            "--no-keep-alive",
            "--connect-on-demand",
            "--ipv6",
            "--connect-timeout=1",
        ),
        *("--timeout=2", "--deadline=0.5", "--warm-up=3", "-k"),
        *("--budget=p95<200ms", "--budget=failed<=0%"),
    ).plan

    assert plan.conditions == Conditions(
        keep_alive=False,
        connect_first=False,
        ip="6",
        connect_seconds=1,
        response_seconds=2,
        deadline_seconds=0.5,
        warm_up_seconds=3,
        insecure=True,
    )
    assert plan.budgets == ("p95<200ms", "failed<=0%")


def test_options_make_a_request() -> None:
    asked = request(
        *("-X", "PUT", "-H", "Accept: a:b ", "-H", "Empty:", "--data", "@x"),
        *("--user", "a:b:c", "--expect-status", "2xx, 404", "--expect-text=-t"),
        *("--expect-match", "m+", "--expect-header", "ETag", "--expect-size", "1-20"),
    )

    assert (asked.method, asked.body) == ("PUT", b"@x")
    assert asked.headers == (
        Header("Accept", "a:b"),
        Header("Empty", ""),
        Header("Authorization", "Basic YTpiOmM=", secret=True),
    )
    assert asked.checks == Checks(
        statuses=frozenset((*range(200, 300), 404)),
        contains="-t",
        matches="m+",
        header="ETag",
        minimum_bytes=1,
        maximum_bytes=20,
    )


def test_either_end_of_the_sizes_can_be_left_out() -> None:
    assert request("--expect-size=5-").checks == Checks(minimum_bytes=5)
    assert request("--expect-size=-5").checks == Checks(maximum_bytes=5)
    assert refusals(URL, "--expect-size=-") == [
        "--expect-size -: must be MIN-MAX, MIN- or -MAX, in bytes"
    ]


def test_json_is_sent_as_it_is_written() -> None:
    asked = request("--data-json", '{"a": 1.0}')
    assert (asked.method, asked.body) == ("POST", b'{"a": 1.0}')
    assert asked.headers == (Header("Content-Type", "application/json"),)

    asked = request("--data-json", "1", "-H", "content-type: a/b")
    assert asked.headers == (Header("content-type", "a/b"),)
    assert refusals(URL, "--data-json", "{")[0].startswith(
        "--data-json {: is not JSON:"
    )


def test_a_body_can_be_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xff")

    assert request("--data-file", str(path)).body == b"\xff"
    assert refusals(URL, "--data-file", f"{path}x") == [
        f"--data-file {path}x: cannot be read (No such file or directory)"
    ]


def test_secrets_can_be_in_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a:b\n")
    headers = tmp_path / "headers"
    headers.write_text("X-Key: k\n\nX-Other: o\n")

    assert request("--bearer", f"@{secret}").headers[0].value == "Bearer a:b"
    assert request("--user", f"@{secret}").headers[0].value == "Basic YTpi"
    assert request("-H", f"@{headers}", "-H", "X: y").headers == (
        Header("X-Key", "k", secret=True),
        Header("X-Other", "o", secret=True),
        Header("X", "y"),
    )
    secret.write_text("a\nb\n")
    assert refusals(URL, "--bearer", f"@{secret}") == [
        f"--bearer @{secret}: has 2 lines that are not empty, not one"
    ]
    secret.write_bytes(b"\xff")
    assert refusals(URL, "-H", f"@{secret}") == [
        f"--header @{secret}: is not text in UTF-8"
    ]


def test_all_errors_name_their_options_at_once() -> None:
    assert refusals(
        *("http://a b/", "-H", "A b: c", "-H", "nocolon", "--user", "me", "-n", "x"),
        *("-c", "2.5", "--seed", "1", "--timeout", "1e3", "--expect-status", "200,abc"),
        *("--budget", "p95<2"),
    ) == [
        "--header (not shown): must be 'Name: value'",
        "--user (not shown): must be USER:PASSWORD",
        "--seed: needs --rate or --steps",
        "URL http://a b/: it has ' ' at position 8; spaces, control characters and "
        "backslashes must be removed or percent-encoded",
        "--expect-status abc: must be a status from 100 to 599, a range such as 200-299, "
        "or a class such as 2xx",
        "--connections 2.5: must be a whole number",
        "--requests x: must be a whole number, not text",
        "--timeout 1000.0: must be at most 180",
        "--budget p95<2: the number has no unit here; write one of us, µs, ms, s, as "
        "p95<200ms",
    ]


@pytest.mark.parametrize(
    ("words", "errors"),
    [
        ("", ["URL: is missing; give a URL, --curl or --plan"]),
        (
            f"{URL} -r 5 -n 5",
            ["--requests: cannot be given with --rate; give one of them"],
        ),
        (
            f"{URL} --steps 5 -r 5 -n 5",
            [
                f"{option}: cannot be given with --steps; give one of them"
                for option in ("--rate", "--requests")
            ],
        ),
        (
            f"{URL} -r 5 --step-of rate",
            ["--step-of: cannot be given with --rate; give one of them"],
        ),
        (f"{URL} --poisson", ["--poisson: needs --rate or --steps"]),
        (f"{URL} --step-of rate", ["--step-of: needs --steps"]),
        (
            f"{URL} -n 5 -s 5",
            [
                "--requests (an object): must have exactly one of requests, seconds, but has 2"
            ],
        ),
        (f"{URL} --steps 5,,6", ['--steps "": must be a number, not text']),
        (f"{URL} -r nan", ["--rate nan: must be a number, not text"]),
        (
            f"{URL} -r 5000 -s 600",
            [
                "--rate 5000/s for 600 s: makes 3000000 requests, and a run can have at most "
                "1000000 (LOAD_MAX_REQUESTS)"
            ],
        ),
        (
            f"{URL} --warm-up 10",
            ["--warm-up 10.0: must be less than the 10 s of the run"],
        ),
    ],
)
def test_what_does_not_go_together_is_named(words: str, errors: list[str]) -> None:
    assert refusals(*words.split()) == errors


def test_curl_commands_are_requests(tmp_path: Path) -> None:
    path = tmp_path / "a.curl"
    path.write_text("curl http://a/3 -m 7 -d x\n")

    asked = read(
        *(URL, "--curl", "curl -L http://a/1", "--curl", "curl -m 7 http://a/2 -s"),
        *("--curl-file", str(path), "--expect-status", "200", "--connect-timeout=2"),
    )

    assert [each.name for each in asked.plan.requests] == [
        "GET /a",
        "GET /1",
        "GET /2",
        "POST /3",
    ]
    assert {each.checks.statuses for each in asked.plan.requests} == {frozenset([200])}
    assert asked.plan.conditions == Conditions(response_seconds=7, connect_seconds=2)
    assert len(asked.warnings) == 4
    assert asked.warnings[0].startswith("-L: redirects are not followed")


def test_options_count_more_than_the_conditions_of_curl() -> None:
    asked = read("--curl", "curl -m 7 http://a/2", "--timeout", "8")

    assert asked.plan.conditions.response_seconds == 8


@pytest.mark.parametrize(
    ("words", "errors"),
    [
        (
            ["--curl", "curl -x p a", "--curl", "curl"],
            [
                "--curl (1 of 2) -x: requests go straight to the target",
                "--curl (2 of 2): has no URL",
            ],
        ),
        (
            ["--curl", "curl -4 a", "--curl", "curl -6 a"],
            [
                "--curl: one command has the ip 6, and another 4; all requests of a plan have "
                "the same conditions"
            ],
        ),
        (
            ["--curl", "curl 'http://a/' -H 'A b: c' -m 600"],
            [
                "--curl headers[0].name A b: must be a field name: letters, digits and "
                "!#$%&'*+-.^_`|~, without spaces and without the colon",
                "--curl conditions.response_seconds 600.0: must be at most 180",
            ],
        ),
        (
            ["--curl", "wget", "--curl", "curl -X 'A B' a"],
            [
                "--curl (1 of 2) wget: must be a command that starts with curl",
                "--curl (2 of 2) method A B: must be a method such as GET or POST, "
                "without spaces and separators",
            ],
        ),
        (
            ["--curl", "curl a", "-X", "PUT"],
            ["--method: needs a URL, which is missing"],
        ),
        (
            ["--curl-file", "/nowhere/a"],
            ["--curl-file /nowhere/a: cannot be read (No such file or directory)"],
        ),
    ],
)
def test_what_is_wrong_with_curl_commands_names_the_command(
    words: list[str], errors: list[str]
) -> None:
    assert refusals(*words) == errors


def test_a_plan_is_read_from_a_file_or_the_standard_input(tmp_path: Path) -> None:
    text = b'{"requests": [{"url": "http://a/"}], "load": {"kind": "closed", "requests": 5}}'
    path = tmp_path / "plan.json"
    path.write_bytes(text)

    plan = read("--plan", str(path)).plan
    assert plan.load == Closed(connections=10, requests=5)
    assert read("--plan", "-", stdin=text).plan == plan
    assert plan_document(parsed("--plan", str(path)), LIMITS) == {
        "requests": [{"url": "http://a/"}],
        "load": {"kind": "closed", "requests": 5},
    }


def test_errors_in_a_plan_keep_their_locations() -> None:
    assert refusals("--plan", "-", stdin=b'{"requests": []}') == [
        "requests (a list): must have at least 1 entry",
        "load: is missing",
    ]
    [error] = refusals("--plan", "-", stdin=b"\xff")
    assert error.startswith("the text is not a JSON document: ")
    assert refusals("--plan", "/nowhere/a") == [
        "--plan /nowhere/a: cannot be read (No such file or directory)"
    ]


def test_a_plan_takes_no_other_options() -> None:
    assert refusals("--plan", "-", "-r", "5", "--ipv4") == [
        "--rate: cannot be given with --plan; put it into the plan",
        "--ipv4: cannot be given with --plan; put it into the plan",
    ]


def test_the_document_is_refused_where_options_are_wrong() -> None:
    with pytest.raises(InvalidPlan, match="--seed: needs --rate"):
        plan_document(parsed(URL, "--seed", "1"), LIMITS)
