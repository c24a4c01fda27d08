"""`manage.py probe` in a terminal and in scripts."""

import json
import os
import pty
import re
import signal
import subprocess
import sys

import pytest

from tests.support.site import ROOT
from tests.support.target import TargetServer

ENVIRONMENT = os.environ | {"DJANGO_SETTINGS_MODULE": "async_views.settings"}
# On a busy machine, asyncio's debug mode warns of late callbacks.
ENVIRONMENT.pop("PYTHONASYNCIODEBUG", None)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "probe", *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )


def test_a_probe_that_succeeds_prints_a_summary_and_exits_with_0(
    target: TargetServer,
) -> None:
    done = run(f"{target.url}/ok", "--requests", "20", "--concurrency", "4")

    assert done.returncode == 0, done.stderr
    assert "20 sent: 20 answered 2xx, 4 at a time" in done.stdout
    assert re.search(r"^p99 +\S+ (µs|ms|s)$", done.stdout, re.MULTILINE)
    assert re.search("^(VALID|SUSPECT|INVALID)$", done.stdout, re.MULTILINE)
    assert "The target runs on this machine and shares its processors." in done.stdout
    assert done.stderr == ""
    assert len(target.asked) == 20


def test_a_probe_with_a_failure_exits_with_1(target: TargetServer) -> None:
    done = run(f"{target.url}/reset", "--requests", "2")

    assert done.returncode == 1
    assert "failed, disconnected: 2" in done.stdout


@pytest.mark.parametrize(
    ("status", "output"), [(401, []), (500, []), (500, ["--json"])]
)
def test_an_error_status_exits_with_1(
    target: TargetServer, status: int, output: list[str]
) -> None:
    done = run(f"{target.url}/status/{status}", "--requests", "2", *output)

    assert done.returncode == 1
    if not output:
        assert f"2 sent: 2 answered {status // 100}xx," in done.stdout
        assert f"\nanswered {status // 100}xx, status {status}: 2\n" in done.stdout
        assert "2xx" not in done.stdout.splitlines()[3]


@pytest.mark.parametrize("status", [204, 304])
def test_other_statuses_exit_with_0(target: TargetServer, status: int) -> None:
    done = run(f"{target.url}/status/{status}", "--requests", "1")

    assert done.returncode == 0, done.stdout
    assert f"1 sent: 1 answered {status // 100}xx," in done.stdout


def test_mixed_outcomes_are_counted_separately_and_exit_with_1(
    target: TargetServer,
) -> None:
    done = run(f"{target.url}/mixed", "--requests", "8", "--concurrency", "1")

    assert done.returncode == 1
    assert "8 sent: 2 answered 2xx, 2 answered 5xx, 4 failed," in done.stdout
    assert re.search(r"^ +2xx +5xx$", done.stdout, re.MULTILINE)


def test_a_terminal_shows_outcomes_in_different_colours(target: TargetServer) -> None:
    seen = run(f"{target.url}/mixed", "--requests", "4", "--force-color").stdout

    colours = re.findall(
        r"(\x1b\[\S+?m)(?:answered \dxx, status|failed, )", seen, re.MULTILINE
    )
    assert len(colours) == len(set(colours)) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["http://10.0.0.1/"], "10.0.0.1 may not be probed"),
        (["ftp://example.org/"], "must start with http:// or https://"),
        (["http://127.0.0.1/", "--requests", "0"], "--requests 0: The number of"),
        (["http://127.0.0.1/", "--timeout", "x"], "--timeout x: The timeout is"),
        (["http://127.0.0.1/", "--method", "PUT"], "--method PUT: The method is"),
        (["http://127.0.0.1/", "--json", "--csv"], "not allowed with argument"),
        ([], "required: URL"),
    ],
)
def test_a_refused_target_or_a_wrong_argument_exits_with_2(
    arguments: list[str], said: str
) -> None:
    done = run(*arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_json_is_the_page_s_json(target: TargetServer) -> None:
    done = run(f"{target.url}/ok", "--requests", "3", "--json")

    answer = json.loads(done.stdout)
    assert answer["summary"]["answered"] == len(answer["successful_results"]) == 3


def test_the_csv_is_the_page_s_csv(target: TargetServer) -> None:
    done = run(f"{target.url}/ok", "--requests", "3", "--csv")

    assert len(done.stdout.splitlines()) == 4
    assert done.stdout.startswith("start_microseconds,time_microseconds,status,")


def test_a_terminal_shows_a_progress_bar_and_erases_it(target: TargetServer) -> None:
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "manage.py", "probe", f"{target.url}/ok", "-n", "40"],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=end,
    ) as process:
        process.communicate(timeout=60)
    os.close(end)
    seen = os.read(terminal, 100_000).decode()
    os.close(terminal)

    assert "40 of 40" in seen
    assert seen.endswith("\x1b[K")


def test_an_interrupted_probe_is_reported_without_a_traceback(
    target: TargetServer,
) -> None:
    with subprocess.Popen(
        [sys.executable, "manage.py", "probe", f"{target.url}/wait", "-n", "1"],
        cwd=ROOT,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        target.wait_until(lambda server: len(server.asked) == 1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert process.returncode == 130
    assert said == "CommandError: Stopped.\n"
