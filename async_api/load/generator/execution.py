"""Executes a plan: connects, sends, waits for every outcome, and hands over the run."""

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter_ns

from async_api.load.generator.health import Health
from async_api.load.generator.nearness import is_of_this_machine
from async_api.load.generator.sending import schedule
from async_api.load.generator.sending.channel import Channel
from async_api.load.generator.sending.expiry import Expiry
from async_api.load.generator.sending.ledger import Ledger
from async_api.load.generator.sending.loads import sending
from async_api.load.generator.sending.pool import Pool
from async_api.load.generator.sending.waiting import Waiting
from async_api.load.generator.snapshot import Snapshot, Snapshots
from async_api.load.plan.pace import is_paced
from async_api.load.plan.plan import Plan
from async_api.load.recording import Flag
from async_api.load.run import Run
from async_api.load.wire.dialling import Dialler
from async_api.load.wire.limits import ResponseLimits
from async_api.load.wire.request import render
from async_api.load.wire.tls import tls_context
from async_api.outbound.guard import Guard

Origin = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may take up, from the settings of an installation."""

    body_bytes: int  # of one response
    requests: int  # of a run; a closed load ends there


class Execution:
    """One execution of a plan. ``on_snapshot`` is called once a second.

    Each origin has connections of its own, each as many as the plan allows. Raises
    OSError, such as that of ``ssl``, for a certificate file that cannot be read.
    """

    def __init__(
        self,
        plan: Plan,
        guard: Guard,
        limits: Limits,
        on_snapshot: Callable[[Snapshot], None],
    ) -> None:
        self._plan = plan
        self._guard = guard
        self._on_snapshot = on_snapshot
        self._cancelled = False
        self._in_flight: dict[Channel, None] = {}
        self._ledger = Ledger(plan, perf_counter_ns())
        self._snapshots = Snapshots(self._ledger)
        self._waiting = Waiting()
        self._load = sending(plan.load, self._waiting, self._issue, limits.requests)
        self._order = schedule.order([each.weight for each in plan.requests])
        self._paced = is_paced(plan.load)
        self._pools, self._pool_of = self._make_pools(limits)
        self._health = Health(self._waiting, self._connections, self._snapshot)
        self._expiry = Expiry(
            self._in_flight, self._pools, plan.conditions.response_seconds
        )

    async def run(self) -> Run:
        """Return when every request has an outcome and every socket is closed."""
        conditions = self._plan.conditions
        if conditions.connect_first and conditions.keep_alive:
            await self._connect_first()
        # What was made until now stays; collections need not look at it.
        gc.collect()
        gc.freeze()
        wall = time.time()
        began = perf_counter_ns()
        self._ledger.begin(began)
        self._warm_until = began + round(conditions.warm_up_seconds * schedule.SECOND)
        self._health.start(began)
        self._expiry.start()
        try:
            if not self._cancelled:
                await self._load.run(began)
        finally:
            self._expiry.stop()
            self._health.stop()
            gc.unfreeze()
            for pool in self._pools:
                pool.close()
            for pool in self._pools:
                await pool.closed_all()
            await self._guard.resolver.close()
        return self._handed_over(wall)

    def cancel(self) -> None:
        """End what is under way, and close every socket; `run` returns what it has."""
        if self._cancelled:
            return
        self._cancelled = True
        self._load.stop()
        for pool in self._pools:
            pool.cancel()
        self._waiting.stopped = True

    def _make_pools(self, limits: Limits) -> tuple[list[Pool], list[Pool]]:
        """A pool for each origin, and that of each request."""
        conditions = self._plan.conditions
        requests = [
            render(request, index, keep_alive=conditions.keep_alive)
            for index, request in enumerate(self._plan.requests)
        ]
        targets = [request.target for request in self._plan.requests]
        secure = any(target.scheme == "https" for target in targets)
        dialler = Dialler(
            self._guard,
            tls_context(insecure=conditions.insecure, ca_file=conditions.ca_file)
            if secure
            else None,
            ResponseLimits(limits.body_bytes),
            ip=conditions.ip,
            seconds=conditions.connect_seconds,
        )
        pools: dict[Origin, Pool] = {}
        for target in targets:
            origin = (target.scheme, target.host, target.port)
            if origin not in pools:
                pools[origin] = Pool(
                    target,
                    requests,
                    dialler,
                    self._ledger,
                    self._in_flight,
                    self._load.ended,
                    maximum=schedule.connections(self._plan.load),
                )
        return list(pools.values()), [
            pools[target.scheme, target.host, target.port] for target in targets
        ]

    async def _connect_first(self) -> None:
        if not self._cancelled:
            await asyncio.gather(
                *(pool.open_all() for pool in self._pools), return_exceptions=True
            )

    def _issue(self, planned: int) -> None:
        self._waiting.busy += 1
        request = next(self._order)
        flags = Flag.WARM_UP.value if planned < self._warm_until else 0
        self._pool_of[request].send(planned, request, flags, mark=self._paced)

    def _connections(self) -> tuple[int, int]:
        return sum(pool.open for pool in self._pools), len(self._in_flight)

    def _snapshot(self) -> None:
        self._on_snapshot(self._snapshots.take(perf_counter_ns(), *self._connections()))

    def _handed_over(self, wall: float) -> Run:
        ledger = self._ledger
        recording = ledger.recording
        return Run(
            plan=self._plan,
            began=wall,
            duration=max(recording.ended, default=0) if len(recording) else 0,
            recording=recording,
            connections=tuple(ledger.kept),
            opened=ledger.opened,
            lost=ledger.lost,
            replaced=ledger.replaced,
            reused=ledger.reused,
            strays=ledger.strays,
            cold=ledger.cold,
            warm=ledger.warm,
            seconds=tuple(self._health.seconds),
            failures=ledger.failures,
            exhausted=ledger.exhausted,
            same_machine=any(
                is_of_this_machine(each)
                for each in {address for address, _ in self._guard.dialled}
            ),
            cancelled=self._cancelled,
        )
