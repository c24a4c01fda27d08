"""Simulated workers, machines and a store, with a network that fails on command."""

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from async_api.online.leases import Count, Lease, Step, Times


@dataclass
class Process:
    """A process that is alive until a test changes that."""

    machine: str
    alive: bool = True

    def is_alive(self) -> bool:
        return self.alive


@dataclass(eq=False)
class Worker:
    """A worker, its clock, and the part of the network it can reach."""

    count: Count
    process: Process
    clock_ahead: float
    has_store: bool = True
    has_bus: bool = True


@dataclass
class Row:
    holder: Process
    connections: int
    expires_at: float


@dataclass
class Network:
    """Runs due steps in order, on a simulated clock."""

    times: Times = field(default_factory=Times)
    now: float = 0.0
    rows: dict[UUID, Row] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    queries: int = 0  # number of queries to the store

    def start(self, machine: str, clock_ahead: float = 0.0) -> Worker:
        process = Process(machine)
        worker = Worker(Count(uuid.uuid4(), process, self.times), process, clock_ahead)
        self.workers.append(worker)
        return worker

    def stop(self, worker: Worker) -> None:
        """An orderly stop, which removes the lease."""
        worker.process.alive = False
        self.workers.remove(worker)
        if worker.has_store:
            self.rows.pop(worker.count.worker, None)
            self.publish(worker)

    def kill(self, worker: Worker) -> None:
        worker.process.alive = False
        self.workers.remove(worker)

    def lose_rows(self) -> None:
        """Loses the rows as in a crash of PostgreSQL, which also breaks every bus."""
        self.rows.clear()
        for worker in self.workers:
            self.hint(worker)

    def cut_off(self, worker: Worker) -> None:
        worker.has_store = False

    def connect(self, worker: Worker) -> None:
        worker.has_store = True
        self.hint(worker)

    def set_bus(self, worker: Worker, has_bus: bool) -> None:
        worker.has_bus = has_bus
        self.hint(worker)

    def publish(self, publisher: Worker) -> None:
        if publisher.has_bus and publisher.has_store:
            for worker in self.workers:
                self.hint(worker)

    def hint(self, worker: Worker) -> None:
        if worker.has_bus and worker.has_store:
            worker.count.hint()

    def advance(self, seconds: float) -> None:
        """Advances the clock by that time, and runs all steps that are due meanwhile."""
        until = self.now + seconds
        while self.workers:
            due, worker, step = self.next_step()
            if due > until:
                break
            self.now = max(self.now, due)
            self.take(worker, step)
        self.now = until

    def next_step(self) -> tuple[float, Worker, Step]:
        steps = []
        for worker in self.workers:
            due, step = worker.count.next_step()
            steps.append((due - worker.clock_ahead, worker, step))
        return min(steps, key=lambda each: each[0])

    def take(self, worker: Worker, step: Step) -> None:
        count = worker.count
        now = self.now + worker.clock_ahead
        if step is Step.CHECK:
            count.check_processes(now)
            return
        count.begin_query(now)
        self.queries += 1
        if not worker.has_store:
            count.failed(now)
        elif step is Step.READ:
            count.read(now, self.leases())
        elif step is Step.REMOVE:
            for dead in count.dead:
                self.rows.pop(dead, None)
            count.removed()
            self.publish(worker)
        else:
            self.rows[count.worker] = Row(
                worker.process, count.own, self.now + self.times.lease
            )
            if count.wrote(now, count.own, self.leases()):
                self.publish(worker)

    def leases(self) -> Iterator[Lease]:
        for worker, row in list(self.rows.items()):
            if row.expires_at > self.now:
                yield Lease(
                    worker, row.holder, row.connections, row.expires_at - self.now
                )

    @property
    def truth(self) -> int:
        return sum(worker.count.own for worker in self.workers)

    def totals(self) -> list[int]:
        return [worker.count.total for worker in self.workers]

    def are_right(self) -> bool:
        return set(self.totals()) <= {self.truth}

    def seconds_until_right(self, at_most: float = math.inf) -> float:
        """Advances the clock in hundredths of a second until all counts are right."""
        began = self.now
        while not self.are_right():
            self.advance(0.01)
            waited = self.now - began
            assert waited <= at_most + 0.005, (self.totals(), self.truth, waited)
        return self.now - began
