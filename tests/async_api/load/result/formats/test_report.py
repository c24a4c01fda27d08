"""The text report says the verdict and the numbers behind it."""

from dataclasses import replace

from async_api.load.recording import FailedCheck, Flag, Outcome
from async_api.load.result.budgets import check_budgets
from async_api.load.result.formats.report import report
from async_api.load.result.measurement import measure
from async_api.load.result.verdict import judge
from async_api.load.run import FirstFailure, OpenedConnection, Run, Waterfall
from tests.async_api.load.result.runs import (
    MS,
    Sent,
    a_plan,
    a_request,
    a_run,
    steady,
)


def text(run: Run) -> str:
    found = measure(run)
    return report(run, found, judge(run, found), check_budgets(run.plan, found))


def lines(run: Run) -> list[str]:
    return [" ".join(line.split()) for line in text(run).splitlines()]


def test_the_verdict_comes_first_and_then_the_budgets() -> None:
    run = steady(100, 10)
    run = replace(run, plan=replace(run.plan, budgets=("p95<1ms",)))

    assert lines(run)[:3] == [
        *("VALID", "", "p95<1ms: broken, p95 from plan is 10 ms.")
    ]


def test_every_reason_is_shown_with_its_code() -> None:
    assert "INVALID exhausted: This machine ran out of ports" in text(
        a_run([Sent()], exhausted="ports")
    )


def test_both_latencies_stand_side_by_side_with_their_meaning() -> None:
    found = lines(a_run([Sent(time=10 * MS, late=5 * MS, wait=7 * MS)] * 80))

    assert "p50 15 ms [15 ms, 15 ms] 10 ms [10 ms, 10 ms] 7 ms [7 ms, 7 ms]" in found
    assert "p99 at least 15 ms at least 10 ms at least 7 ms" in found
    assert any(line.startswith("from plan: from the time") for line in found)
    assert any(line.startswith("from send: from its first byte") for line in found)


def test_columns_are_aligned() -> None:
    found = text(steady(100, 10)).splitlines()

    rows = [line for line in found if line.startswith(("latency ", "p50 ", "p95 "))]
    assert len({line.index("10 ms") + 5 for line in rows[1:]}) == 1
    assert rows[0].index("from plan") + 9 == rows[1].index("10 ms") + 5


def test_counts_failures_and_the_warm_up_are_told_apart() -> None:
    run = a_run(
        [
            Sent(),
            Sent(outcome=500, time=20 * MS),
            Sent(outcome=Outcome.TIMEOUT, time=30 * MS),
            Sent(failed_check=FailedCheck.CONTAINS),
            Sent(outcome=Outcome.SHED),
            Sent(flags=Flag.WARM_UP),
        ],
        failures=(FirstFailure(kind="timeout", time=0, message="No response."),),
    )

    found = lines(run)

    assert (
        "5 requests planned, 4 sent, 3 answered: 1 succeeded, 1 with an error status, "
        "2 failed, 1 shed"
    ) in found
    assert "warm-up, not counted: 1 request" in found
    assert "status 200: 2, 500: 1" in found
    assert "error statuses, median: from plan 20 ms, from send 20 ms" in found
    assert "failed timeout: 1, first after 30 ms: No response." in found
    assert "failed unexpected (contains): 1, first after 10 ms" in found


def test_a_redirect_is_noted() -> None:
    assert "note redirects: 1 request had a redirect as its response" in text(
        a_run([Sent(outcome=302, flags=Flag.REDIRECT)])
    )


def test_several_requests_have_a_row_each() -> None:
    run = a_run([Sent(), Sent(request=1)], a_plan(None, a_request("a"), a_request("b")))

    assert "b 1 0 0 10 ms 10 ms 10 ms 10 ms" in lines(run)


def test_the_cold_waterfall_stands_beside_the_warm_one() -> None:
    run = a_run(
        [Sent()],
        cold=Waterfall(
            lookup=2 * MS,
            tcp=1 * MS,
            tls=0,
            send=0,
            wait=6 * MS,
            receive=1 * MS,
            server_timing="db;dur=5\x1b[2J",
        ),
        warm=Waterfall(lookup=0, tcp=0, tls=0, send=0, wait=4 * MS, receive=1 * MS),
    )

    found = lines(run)

    assert "phase cold 10 ms warm 5 ms" in found
    assert "lookup ██████ 2 ms -" in found
    assert "wait ██████████████████ 6 ms ████████████ 4 ms" in found
    assert "Server-Timing, cold: db;dur=5\N{REPLACEMENT CHARACTER}[2J" in found


def test_tls_is_told_with_the_end_of_the_certificate() -> None:
    connection = OpenedConnection(
        opened=0,
        address="192.0.2.1",
        port=443,
        lookup=0,
        tcp=0,
        tls_version="TLSv1.3",
        cipher="TLS_AES_128_GCM_SHA256",
        certificate_expires=1_800_000_000,
    )

    assert (
        "TLS: TLSv1.3, TLS_AES_128_GCM_SHA256, certificate until 2027-01-15"
        in lines(a_run([Sent()], connections=(connection,)))
    )


def test_a_run_without_requests_has_a_report() -> None:
    assert "0 requests planned" in text(a_run([]))
