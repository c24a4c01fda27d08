"""`manage.py load` in a terminal and in scripts."""

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.site import ROOT
from tests.support.target import TargetServer

ENVIRONMENT = os.environ | {"DJANGO_SETTINGS_MODULE": "async_views.settings"}
# asyncio's debug mode logs each process that is started.
for name in ("PYTHONASYNCIODEBUG", "PYTHONDEVMODE"):
    ENVIRONMENT.pop(name, None)
COMMAND = [sys.executable, "manage.py", "load"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_a_run_that_succeeds_is_reported_and_exits_with_0(target: TargetServer) -> None:
    done = run(f"{target.url}/ok", "-n", "20", "-c", "2", "--budget", "failed<1%")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[0] in {"VALID", "SUSPECT"}
    assert "failed<1%: kept" in done.stdout
    assert "20 requests planned, 20 sent, 20 answered: 20 succeeded" in done.stdout
    assert "The target runs on this machine" in done.stdout
    assert done.stderr == ""
    assert len(target.asked) == 20


@pytest.mark.parametrize("path", ["/status/500", "/reset"])
def test_error_statuses_and_failures_exit_with_1(
    target: TargetServer, path: str
) -> None:
    done = run(f"{target.url}{path}", "-n", "4", "-c", "1")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "0 succeeded" in done.stdout


def test_a_failed_check_is_named_and_exits_with_1(target: TargetServer) -> None:
    done = run(f"{target.url}/ok", "-n", "2", "-c", "1", "--expect-text", "missing")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "failed unexpected (contains): 2" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["http://10.0.0.1/", "-n", "1"], "10.0.0.1 may not be sent requests"),
        (["ftp://example.org/"], "URL ftp://example.org/: it must start with http"),
        (["http://127.0.0.1/", "--rate", "x"], "--rate x: must be a number"),
        (["http://127.0.0.1/", "--rate", "1e9"], "--rate 1000000000"),
        (["http://127.0.0.1/", "--budget", "p95"], "--budget p95: must be a metric"),
        (["http://127.0.0.1/", "--json", "--csv"], "not allowed with argument"),
        (["--curl", "curl --proxy p http://127.0.0.1/"], "--proxy"),
        (["--plan", "/nowhere/plan.json"], "--plan /nowhere/plan.json"),
        ([], "give a URL, --curl or --plan"),
    ],
)
def test_a_refused_target_or_a_wrong_argument_exits_with_2(
    arguments: list[str], said: str
) -> None:
    done = run(*arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_broken_budget_exits_with_3_and_the_numbers_are_printed(
    target: TargetServer,
) -> None:
    done = run(f"{target.url}/ok", "-n", "5", "-c", "1", "--budget", "max<1us")

    assert done.returncode == 3, done.stdout + done.stderr
    assert "max<1us: broken" in done.stdout
    assert "5 requests planned, 5 sent, 5 answered" in done.stdout


def test_a_run_that_ran_out_of_descriptors_is_invalid_and_exits_with_4(
    target: TargetServer,
) -> None:
    done = subprocess.run(
        ["bash", "-c", 'ulimit -n 48 && exec "$@"', "bash", *COMMAND]
        + [f"{target.url}/wait", "-s", "1", "-c", "60", "--timeout", "1"],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 4, done.stdout + done.stderr
    assert done.stdout.startswith("INVALID\n")
    assert "ran out of file descriptors" in done.stdout


def test_the_json_has_the_plan_without_its_secrets(
    target: TargetServer, tmp_path: Path
) -> None:
    secret = tmp_path / "token"
    secret.write_text("open-sesame")

    done = run(
        f"{target.url}/headers",
        "-n",
        "3",
        "-c",
        "1",
        "--json",
        "--bearer",
        f"@{secret}",
    )

    answer = json.loads(done.stdout)
    assert answer["counts"]["succeeded"] == 3
    assert answer["verdict"]["verdict"] in {"VALID", "SUSPECT"}
    assert answer["plan"]["requests"][0]["url"] == f"{target.url}/headers"
    assert "open-sesame" not in done.stdout + done.stderr
    assert target.asked[0].headers["authorization"] == "Bearer open-sesame"


def test_the_csv_has_a_line_for_each_request(target: TargetServer) -> None:
    done = run(f"{target.url}/ok", "-n", "3", "-c", "1", "--csv")

    assert len(done.stdout.splitlines()) == 4
    assert done.stdout.startswith("request,")


def test_the_hdr_log_names_its_version(target: TargetServer) -> None:
    done = run(f"{target.url}/ok", "-n", "3", "-c", "1", "--hdr")

    assert "#[Histogram log format version 1.3]" in done.stdout
    assert "Tag=plan" in done.stdout and "Tag=send" in done.stdout


def test_a_plan_is_shown_read_back_and_shown_as_a_command(
    target: TargetServer, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    shown = run(f"{target.url}/ok", "-r", "50", "-s", "2", "--show", "plan").stdout
    plan.write_text(shown)

    command = run("--plan", str(plan), "--show", "command").stdout

    words = shlex.split(command)
    assert words[:3] == ["python", "manage.py", "load"]
    assert run(*words[3:], "--show", "plan").stdout == shown
    assert target.asked == []


def test_the_schema_of_plans_is_the_published_one() -> None:
    published = ROOT / "async_api" / "load" / "plan" / "plan.schema.json"

    assert json.loads(run("--show", "schema").stdout) == json.loads(
        published.read_text()
    )


def test_a_pasted_command_is_sent_and_what_differs_is_said(
    target: TargetServer,
) -> None:
    done = run(
        "--curl", f"curl -s -L -H 'X-Tried: yes' {target.url}/ok", "-n", "2", "-c", "1"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Note: " in done.stderr and "-L" in done.stderr
    assert target.asked[0].headers["x-tried"] == "yes"


def test_settings_limit_a_plan(target: TargetServer) -> None:
    done = run(f"{target.url}/ok", "-n", "11", LOAD_MAX_REQUESTS="10")

    assert done.returncode == 2
    assert "--requests 11" in done.stderr and "LOAD_MAX_REQUESTS" in done.stderr
    assert target.asked == []


def test_a_terminal_shows_progress_and_erases_it(target: TargetServer) -> None:
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, f"{target.url}/ok", "-r", "20", "-s", "2"],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=end,
    ) as process:
        process.communicate(timeout=60)
    os.close(end)
    seen = os.read(terminal, 100_000).decode()
    os.close(terminal)

    assert "responses/s · p50 " in seen
    assert " · 1 s left" in seen
    assert seen.endswith("\x1b[K")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_prints_what_was_measured(
    target: TargetServer, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [*COMMAND, f"{target.url}/wait", "-s", "60", "-c", "1"],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        target.wait_until(lambda server: len(server.asked) == 1)
        process.send_signal(number)
        printed, said = process.communicate(timeout=60)

    assert process.returncode == 128 + number
    assert "1 request planned, 1 sent, 0 answered" in printed
    assert said == ""
    target.wait_until(lambda server: server.open_connections == 0)
