import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from async_api.outbound.failures import FailureKind
from async_api.outbound.guard import TargetRefused
from async_api.outbound.private_targets import PrivateTargets, parse_private_targets
from async_api.outbound.targets import parse_target
from async_api.probe.engine import probe
from async_api.probe.measurement import Sample
from async_api.probe.spec import Probe, ProbeSpec
from async_api.probe.wire.limits import Limits
from tests.support.site import PATIENCE
from tests.support.target import TargetServer

LOOPBACK = parse_private_targets(["127.0.0.0/8"])
LIMITS = Limits(body_bytes=1_000_000, redirects=5, budget_seconds=30)


async def run(
    url: str,
    requests: int = 1,
    concurrency: int = 1,
    *,
    timeout_seconds: float = 10,
    method: str = "GET",
    limits: Limits = LIMITS,
    private: PrivateTargets = LOOPBACK,
    **options: Any,
) -> Probe:
    spec = ProbeSpec(parse_target(url), requests, concurrency, timeout_seconds, method)
    return await probe(spec, limits, private, **options)


async def only_sample(url: str, **options: Any) -> Sample:
    done = await run(url, **options)
    [sample] = done.samples
    return sample


async def test_every_request_is_sent_and_answered(target: TargetServer) -> None:
    done = await run(f"{target.url}/ok", requests=50, concurrency=5)

    assert len(target.asked) == 50
    assert done.summary.sent == done.summary.answered == 50
    assert done.summary.statuses == {200: 50}
    assert {sample.body_length for sample in done.samples} == {2}


async def test_no_more_connections_are_opened_than_the_concurrency(
    target: TargetServer,
) -> None:
    await run(f"{target.url}/ok", requests=60, concurrency=4)

    assert target.connections == 4


async def test_no_more_requests_are_under_way_than_the_concurrency(
    target: TargetServer,
) -> None:
    running = asyncio.create_task(run(f"{target.url}/wait", requests=9, concurrency=3))
    await asyncio.to_thread(target.wait_until, lambda server: len(server.asked) == 3)
    target.release()
    done = await running

    starts = sorted(sample.start for sample in done.samples)
    ends = sorted(sample.end for sample in done.samples)
    assert starts[3] >= ends[0]
    assert done.summary.answered == 9


async def test_a_response_time_does_not_include_waiting_for_a_worker(
    target: TargetServer,
) -> None:
    running = asyncio.create_task(run(f"{target.url}/wait", requests=2, concurrency=1))
    await asyncio.to_thread(target.wait_until, lambda server: len(server.asked) == 1)
    target.release()
    done = await running

    first, second = done.samples
    assert second.start >= first.end
    assert first.time + second.time <= done.summary.wall_time


async def test_error_statuses_count_as_responses(target: TargetServer) -> None:
    done = await run(f"{target.url}/status/503", requests=3)

    assert done.summary.answered == 3
    assert done.summary.statuses == {503: 3}
    assert done.summary.latency is None
    assert done.summary.other_latency is not None


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/reset", FailureKind.DISCONNECTED),
        ("/close", FailureKind.DISCONNECTED),
        ("/half", FailureKind.DISCONNECTED),
        ("/half-chunked", FailureKind.DISCONNECTED),
        ("/zero", FailureKind.INVALID_RESPONSE),
        ("/bad-chunk", FailureKind.INVALID_RESPONSE),
        ("/garbage", FailureKind.INVALID_RESPONSE),
        ("/large", FailureKind.TOO_LARGE),
        ("/loop", FailureKind.TOO_MANY_REDIRECTS),
    ],
)
async def test_a_misbehaving_target_is_a_failure_of_its_kind(
    target: TargetServer, path: str, kind: FailureKind
) -> None:
    sample = await only_sample(target.url + path)

    assert sample.kind == kind
    assert sample.status is None
    assert sample.message.endswith(".")


async def test_a_request_is_not_repeated_after_a_broken_connection(
    target: TargetServer,
) -> None:
    # The second request finds the first one's connection, which is where a client
    # library is most tempted to resend.
    await run(f"{target.url}/mixed", requests=8)

    assert len(target.asked) == 8


async def test_a_refused_connection_is_a_failure_and_not_an_exception(
    unused_port: Callable[[], int],
) -> None:
    sample = await only_sample(f"http://127.0.0.1:{unused_port()}/")

    assert sample.kind == FailureKind.CONNECT
    assert "refused" in sample.message


async def test_a_target_without_tls_is_a_tls_failure(
    target: TargetServer,
) -> None:
    sample = await only_sample(f"https://127.0.0.1:{target.port}/ok")

    assert sample.kind == FailureKind.TLS


async def test_an_invalid_certificate_is_a_tls_failure(
    self_signed: ssl.SSLContext,
) -> None:
    async def ignore(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.close()

    async with await asyncio.start_server(
        ignore, "127.0.0.1", 0, ssl=self_signed
    ) as server:
        port = server.sockets[0].getsockname()[1]
        sample = await only_sample(f"https://127.0.0.1:{port}/")

    assert sample.kind == FailureKind.TLS
    assert "certificate" in sample.message


async def test_a_name_without_an_address_is_a_dns_failure_after_one_lookup() -> None:
    resolver = Names({})

    done = await run("http://nowhere.example/", 5, 5, resolver=resolver)

    assert done.summary.failures == {"dns": 5}
    assert resolver.asked == ["nowhere.example"]


async def test_a_silent_target_times_out_at_the_timeout(target: TargetServer) -> None:
    sample = await only_sample(f"{target.url}/wait", timeout_seconds=0.2)

    assert sample.kind == FailureKind.TIMEOUT
    assert 200_000 <= sample.time < 1_000_000
    assert "0.2 s" in sample.message


async def test_a_long_timeout_is_not_rounded_up(target: TargetServer) -> None:
    sample = await only_sample(f"{target.url}/wait", timeout_seconds=5.1)

    assert 5_100_000 <= sample.time < 5_700_000


async def test_a_probe_ends_within_its_time_budget(target: TargetServer) -> None:
    limits = Limits(body_bytes=1000, redirects=5, budget_seconds=0.3)

    done = await run(f"{target.url}/wait", 10, 2, limits=limits)

    assert done.summary.sent == done.summary.failed == 2
    assert done.summary.unsent == 8
    assert done.summary.wall_time < 1_500_000
    assert "budget of 0.3 s" in done.samples[0].message
    assert not done.verdict.trusted


async def test_redirects_are_followed_and_counted(target: TargetServer) -> None:
    sample = await only_sample(f"{target.url}/redirect?to=/redirect%3Fto=/ok")

    assert (sample.status, sample.redirects, sample.body_length) == (200, 2, 2)
    assert [asked.path for asked in target.asked] == ["/redirect", "/redirect", "/ok"]


async def test_a_redirect_is_followed_without_cookies_and_credentials(
    target: TargetServer,
) -> None:
    # By name: aiohttp keeps no cookies of a bare address.
    host = f"target.example:{target.port}"
    to = f"http://me:secret@{host}/ok"
    sample = await only_sample(
        f"http://{host}/redirect?to={to}",
        resolver=Names({"target.example": "127.0.0.1"}),
    )

    assert sample.status == 200
    assert {"cookie", "authorization"}.isdisjoint(target.asked[-1].headers)


async def test_a_slow_lookup_counts_towards_the_time_budget() -> None:
    limits = Limits(body_bytes=1000, redirects=5, budget_seconds=0.2)
    loop = asyncio.get_running_loop()
    began = loop.time()

    done = await run("http://slow.example/", limits=limits, resolver=Silent())

    assert loop.time() - began < 2 * PATIENCE
    assert done.summary.unsent == 1


@pytest.mark.parametrize(
    "to", ["http://10.0.0.1/", "http://169.254.169.254/latest", "ftp://127.0.0.1/"]
)
async def test_a_redirect_to_a_private_address_is_refused(
    target: TargetServer, to: str
) -> None:
    sample = await only_sample(f"{target.url}/redirect?to={to}")

    assert sample.kind == FailureKind.REFUSED
    assert sample.redirects <= 1


async def test_a_private_target_is_refused_before_anything_is_sent(
    target: TargetServer,
) -> None:
    with pytest.raises(TargetRefused):
        await run(f"{target.url}/ok", private=PrivateTargets())

    assert target.connections == 0


async def test_sizes_are_those_on_the_wire(target: TargetServer) -> None:
    sample = await only_sample(f"{target.url}/gzip")

    assert 0 < sample.body_length < 100


async def test_a_probe_requests_no_compression_and_sends_a_user_agent(
    target: TargetServer,
) -> None:
    await run(f"{target.url}/headers")

    [asked] = target.asked
    assert asked.headers["accept-encoding"] == "identity"
    assert asked.headers["user-agent"] == "async_views probe"


@pytest.mark.parametrize(("method", "length"), [("HEAD", 0), ("OPTIONS", 2)])
async def test_requests_use_the_given_method(
    target: TargetServer, method: str, length: int
) -> None:
    sample = await only_sample(f"{target.url}/ok", method=method)

    assert target.asked[0].method == method
    assert sample.body_length == length


async def test_proxies_in_the_environment_are_not_used(
    target: TargetServer,
    monkeypatch: pytest.MonkeyPatch,
    unused_port: Callable[[], int],
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_port()}")

    sample = await only_sample(f"{target.url}/ok")

    assert sample.status == 200


async def test_cancelling_a_probe_closes_every_connection(target: TargetServer) -> None:
    running = asyncio.create_task(run(f"{target.url}/wait", 50, 20))
    await asyncio.to_thread(target.wait_until, lambda server: len(server.asked) == 20)

    running.cancel()
    await asyncio.wait([running])

    await asyncio.to_thread(
        target.wait_until, lambda server: server.open_connections == 0
    )
    assert running.cancelled()
    assert len(target.asked) == 20


async def test_counts_equal_those_of_the_target(target: TargetServer) -> None:
    done = await run(f"{target.url}/ill", 200, 20, timeout_seconds=1.5)

    summary = done.summary
    assert summary.sent == summary.answered + summary.failed == 200
    assert len(target.asked) == 200
    assert summary.statuses == {200: 40}
    assert summary.failures == {"disconnected": 120, "timeout": 40}


async def test_each_sample_is_reported_when_its_request_ends(
    target: TargetServer,
) -> None:
    reported: list[Sample] = []

    done = await run(f"{target.url}/ok", requests=7, on_sample=reported.append)

    assert tuple(reported) == done.samples


async def test_a_probe_on_a_blocked_event_loop_is_not_trusted(
    target: TargetServer,
) -> None:
    def block(sample: Sample) -> None:
        # The test is about blocking, so it does not use asyncio.sleep.
        import time

        time.sleep(0.2)

    done = await run(f"{target.url}/ok", requests=2, on_sample=block)

    assert not done.verdict.trusted


class Names(AbstractResolver):
    """A resolver that knows only the given names, and records its lookups."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: Any = 0
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.addresses:
            raise OSError(f"{host} is unknown")
        return [
            ResolveResult(
                hostname=host,
                host=self.addresses[host],
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        pass


class Silent(Names):
    """A resolver that never responds."""

    def __init__(self) -> None:
        super().__init__({})

    async def resolve(
        self, host: str, port: int = 0, family: Any = 0
    ) -> list[ResolveResult]:
        await asyncio.Event().wait()
        raise AssertionError("waiting for ever ended")
