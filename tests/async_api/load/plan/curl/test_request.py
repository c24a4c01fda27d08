"""What becomes of the options of a pasted command."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_api.load.plan.curl.arguments import OPTIONS
from async_api.load.plan.curl.request import Pasted, request_of
from async_api.load.plan.document import read_plan
from async_api.load.plan.errors import InvalidPlan
from async_api.load.plan.plan import Conditions
from tests.async_api.load.plan.curl.commands import BASH, CMD
from tests.async_api.load.plan.plans import LIMITS, document, unhurried


def read(command: str, *, files: bool = False) -> Pasted:
    return request_of(command, LIMITS, files=files)


def refusals(command: str, *, files: bool = False) -> list[str]:
    with pytest.raises(InvalidPlan) as raised:
        read(command, files=files)
    return [str(error) for error in raised.value.errors]


def test_what_curl_honours_becomes_conditions() -> None:
    pasted = read(
        "curl -6k -m 20 --connect-timeout 2.5 http://a/ -H 'Connection: close' --http1.1"
    )

    assert pasted.request == {"url": "http://a/", "method": "GET"}
    assert pasted.conditions == {
        "ip": "6",
        "insecure": True,
        "response_seconds": 20,
        "connect_seconds": 2.5,
        "keep_alive": False,
    }
    plan = read_plan(
        document(requests=[pasted.request], conditions=pasted.conditions), LIMITS
    )
    assert plan.conditions == Conditions(**pasted.conditions)


def test_a_file_of_certificates_is_a_condition() -> None:
    assert read("curl --cacert ca.pem a").conditions == {"ca_file": "ca.pem"}


def test_a_time_of_zero_is_the_default_as_in_curl() -> None:
    assert read("curl -m 0 --connect-timeout 0 a").conditions == {}


def test_an_option_can_be_taken_back() -> None:
    pasted = read("curl -k --no-insecure -G --no-get --no-location -d a b")

    assert pasted.request["method"] == "POST"
    assert pasted.conditions == {"insecure": False}


@pytest.mark.parametrize(
    ("command", "warnings"),
    [
        ("curl a", []),
        ("curl -L a", ["-L: redirects are not followed; the result counts them."]),
        ("curl --http2 a", ["--http2: requests are sent as HTTP/1.1."]),
        ("curl --retry 3 a", ["--retry: nothing is sent twice."]),
        (
            "curl --limit-rate 1k --tlsv1.2 a",
            [
                f"{option}: cannot be honoured; the request is the same without it."
                for option in ("--limit-rate", "--tlsv1.2")
            ],
        ),
        (
            "curl -sSv -o f -w '%{http_code}' --no-progress-meter -i a",
            [
                "-s, -S, -v, -o, -w, --no-progress-meter, -i: concern the output of curl, "
                "and not the request."
            ],
        ),
        ("curl a -s", ["-s: concerns the output of curl, and not the request."]),
        (
            "curl --compressed a",
            [
                "--compressed: asks for deflate, gzip; the sizes of bodies are those on "
                "the wire."
            ],
        ),
        (
            "curl -m 5 a",
            [
                "-m: is counted from the send of each request, without the time to connect."
            ],
        ),
        (
            "curl a -H 'Connection: keep-alive'",
            [
                "-H Connection: keep-alive becomes the condition that connections are used "
                "again."
            ],
        ),
        (
            "curl a -H nocolon",
            [
                "-H nocolon: neither a colon with a value nor a semicolon at its end "
                "follows the name; curl ignores it too."
            ],
        ),
        (
            "curl a -A '' -H 'Accept:' -H accept-encoding:",
            [
                f"{name}: cannot be left out; the generator sends its own."
                for name in ("User-Agent", "Accept", "Accept-Encoding")
            ],
        ),
        ("curl a -A '' -A b", []),
        ("curl a -A '' -H 'User-Agent: b'", []),
        ("curl a -H 'Accept:' -H 'Accept: b/c'", []),
        ("curl a | sh", ["| sh: is not run."]),
    ],
)
def test_what_is_not_as_curl_would_do_it_is_named(
    command: str, warnings: list[str]
) -> None:
    assert list(read(command).warnings) == warnings


@pytest.mark.parametrize(
    ("command", "errors"),
    [
        ("wget a", ["wget: must be a command that starts with curl"]),
        ("", ["must be a command that starts with curl"]),
        ("curl", ["has no URL"]),
        ("curl a b", ["b: has 2 URLs, and a command is one request"]),
        (
            "curl -x p -E c --http3-only --digest a",
            [
                "-x: requests go straight to the target",
                "-E: cannot be honoured, and the request would be a different one; "
                "remove it",
                "--http3-only: cannot be honoured, and the request would be a different "
                "one; remove it",
                "--digest: only basic and bearer authentication can be sent",
            ],
        ),
        ("curl --hedder=A a", ["--hedder: is not known here; did you mean --header?"]),
        (
            "curl -sy- -W a",
            ["-W: is not an option of curl that is known here; remove it"],
        ),
        ("curl a -H", ["-H: needs a value after it"]),
        ("curl a --header", ["--header: needs a value after it"]),
        ("curl --get=1 a", ["--get=1: takes no value; write --get"]),
        ("curl -b jar a", ["-b: names a file of cookies; write them as name=value"]),
        ("curl -u me a", ["-u: asks for a password; write user:password"]),
        ("curl -m x a", ["-m: must be a number of seconds"]),
        ("curl -H @f a", ["-H: reads headers from a file; put them into the command"]),
        ("curl -H 'Host:' a", ["-H: removes the Host, which every request needs"]),
        (
            "curl -H 'Expect: 100-continue' a",
            [
                "-H: Expect is not sent, because the body follows the header without "
                "waiting; remove this header"
            ],
        ),
        (
            "curl -H 'Content-Length: 5' -d a b",
            [
                "-H: Content-Length is not that of the data as it is read here; remove it"
            ],
        ),
        ("curl -d @- a", ["-d: reads the standard input, which cannot be read here"]),
        ("curl -I -d a b", ["-I with -d: ask for different methods; keep one of them"]),
        (
            "curl -F a=b -d c d",
            ["-d with -F: ask for different methods; keep one of them"],
        ),
        ("curl -F a d", ["-F: must be name=value, name=@file or name=<file"]),
        ("curl -F 'a=\"b\"c' d", ["-F: has text after a closing quote"]),
        ("curl --form-string a d", ["--form-string: must be name=value"]),
        (
            "curl -F 'a=(;type=b/c' d",
            ["-F: starts or ends a part of parts, which cannot be sent"],
        ),
        (
            "curl -F a=@b,c d",
            ["-F: names several files, which cannot be sent; write a --form for each"],
        ),
        (
            "curl -F 'a=b;c' d",
            [
                "-F: has ;c, which cannot be honoured; put a value that contains a "
                "semicolon into double quotes, or use --form-string"
            ],
        ),
        (
            "curl -F a=b -H 'Content-Type: x/y' d",
            ["-H: Content-Type of a form is set with its boundary; remove this header"],
        ),
        (
            "curl -r 0-5 -d a b",
            ["-r: sends a Content-Range with a body; set the header with -H"],
        ),
        (
            "curl ftp.a.example",
            [
                "URL: has a host name from which curl takes another "
                "protocol; start it with http:// or https://"
            ],
        ),
        (
            "curl 'http://[::1]/[1-3]'",
            [
                "URL: has brackets or braces, of which curl makes several URLs; put a "
                "backslash before each, or use --globoff"
            ],
        ),
        (
            "curl --path-as-is a/../b",
            ["URL: has dot segments, which are always resolved; remove them"],
        ),
        (
            "curl a --next b",
            [
                "--next: a command is one request; give each a command of its own",
                "b: has 2 URLs, and a command is one request",
            ],
        ),
    ],
)
def test_what_would_be_another_request_is_refused(
    command: str, errors: list[str]
) -> None:
    assert refusals(command) == errors


def test_every_option_of_curl_is_taken_noted_or_refused() -> None:
    """None raises anything but InvalidPlan, and none is dropped without a word."""
    silent = {"basic", "globoff", "http1.1", "path-as-is", "url"}
    plain = read("curl http://a/ -d x")
    dropped = set()
    for written, option in OPTIONS.items():
        value = " 'a=1'" if option.takes_value else ""
        try:
            pasted = read(f"curl http://a/ -d x {written}{value}")
        except InvalidPlan:
            continue
        if pasted == plain:
            dropped.add(option.name)
    assert dropped <= silent


WORDS = st.sampled_from(
    [
        *OPTIONS,
        "--no-get",
        "-d",
        "-H",
        "-F",
        "http://a/",
        "-",
        "--",
        "'",
        '"',
        "$'",
        "\\",
    ]
    + [
        '^"',
        "^\n",
        "a=b",
        "@f",
        "A: b",
        ";",
        "|",
        ">",
        "#",
        "\n",
        " ",
        "\\ud83d",
        "{,}",
    ]
)


@unhurried
@given(st.lists(WORDS | st.text(max_size=4), max_size=8), st.sampled_from(["", " "]))
def test_whatever_is_not_a_command_is_refused(words: list[str], between: str) -> None:
    try:
        pasted = read("curl " + between.join(words))
    except InvalidPlan as invalid:
        assert invalid.errors
        assert str(invalid).encode()
    else:
        assert pasted.request["url"]


def test_files_are_read_only_where_they_are_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a\r\nb")

    assert read(f"curl -d @{path} b", files=True).request["body"] == {"text": "ab"}
    assert read(f"curl --data-binary @{path} b").request["body"] == {"file": str(path)}
    for option in ("-d @", "--data-urlencode @", "-d x --data-binary @", "-F 'a=<"):
        close = "'" if "'" in option else ""
        [error] = refusals(f"curl {option}{path}{close} b")
        assert "cannot be read here" in error
    [error] = refusals(f"curl -d @{path}x b", files=True)
    assert error == "-d: cannot be read (No such file or directory)"
    path.write_bytes(b"a" * 1001)
    [error] = refusals(f"curl -d @{path} b", files=True)
    assert "LOAD_MAX_BODY_BYTES" in error


def test_a_file_in_a_value_of_a_form_is_text(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xff")

    assert refusals(f"curl -F 'a=<{path}' b", files=True) == [
        "-F: has a file that is not text in UTF-8"
    ]


def test_a_brace_is_percent_encoded_where_curl_sends_it_unchanged() -> None:
    """Braces are not allowed in a URL (RFC 3986)."""
    [request] = read_plan(
        document(requests=[read("curl -g 'http://a/{b}'").request]), LIMITS
    ).requests

    assert request.target.path == "/%7Bb%7D"


def test_an_ipv6_address_is_not_a_glob() -> None:
    assert read("curl 'http://[::1]:80/'").request["url"] == "http://[::1]:80/"


def test_credentials_and_cookies_are_secret() -> None:
    pasted = read("curl http://u:p@a/ -b c=d -H 'Proxy-Authorization: e'")
    [request] = read_plan(document(requests=[pasted.request]), LIMITS).requests

    assert len(request.headers) == 3
    assert all(header.secret for header in request.headers)


@pytest.mark.parametrize("command", [*BASH, *CMD])
def test_samples_are_valid_without_files_or_say_that_they_need_them(
    command: str,
) -> None:
    if "FILES" in command:
        return
    pasted = read(command.replace("PORT", "80"))

    assert read_plan(document(requests=[pasted.request]), LIMITS).requests
