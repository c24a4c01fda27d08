"""Plans against a test's target, and their execution in the test's own process."""

from collections.abc import Callable, Sequence
from typing import Any

from async_api.load.generator.execution import Execution, Limits
from async_api.load.generator.resolver import SystemResolver
from async_api.load.generator.snapshot import Snapshot
from async_api.load.plan.plan import Checks, Closed, Conditions, Load, Plan, Request
from async_api.load.run import Run
from async_api.outbound.guard import Guard
from async_api.outbound.lookups import Resolver
from async_api.outbound.private_targets import parse_private_targets
from async_api.outbound.targets import parse_target

LIMITS = Limits(body_bytes=1_000_000, requests=1_000_000)
LOCAL = ("127.0.0.0/8", "::1")
REFUSAL = "{subject} is not a public address."


def plan_of(
    *urls: str,
    load: Load | None = None,
    weights: Sequence[int] = (),
    checks: Checks | None = None,
    **conditions: Any,
) -> Plan:
    return Plan(
        requests=tuple(
            Request(
                target=parse_target(url),
                name=f"request {number}",
                weight=weights[number] if weights else 1,
                checks=checks or Checks(),
            )
            for number, url in enumerate(urls)
        ),
        load=load or Closed(connections=1, requests=1),
        conditions=Conditions(**conditions),
    )


def execution_of(
    plan: Plan,
    on_snapshot: Callable[[Snapshot], None] = lambda snapshot: None,
    resolver: Resolver | None = None,
) -> Execution:
    guard = Guard(parse_private_targets(LOCAL), resolver or SystemResolver(), REFUSAL)
    return Execution(plan, guard, LIMITS, on_snapshot)


async def executed(plan: Plan) -> Run:
    return await execution_of(plan).run()
