"""The messages between a generator and its parent, as bytes for a pipe.

Each begins with the protocol's version, the length of its head and that of its columns,
as network-order integers of 2, 4 and 8 bytes. The head is JSON; the columns are arrays in
the machine's own byte order, one after another.
"""

import asyncio
import json
import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter

from async_api.load.generator import snapshot as snapshots
from async_api.load.generator.execution import Limits
from async_api.load.generator.snapshot import Snapshot
from async_api.load.plan.plan import Plan
from async_api.load.recording import COLUMNS, Recording
from async_api.load.run import Run

VERSION = 1
_PREFIX = struct.Struct("!HIQ")


class WrongVersion(Exception):
    """The other process has another version of this program."""


class Order(BaseModel):
    """What a generator is told: the plan, and what the installation allows.

    ``private`` are the texts of private targets, and ``refusal`` is the guard's sentence.
    """

    model_config = ConfigDict(
        frozen=True, ser_json_bytes="base64", val_json_bytes="base64"
    )

    plan: Plan
    limits: Limits
    private: tuple[str, ...]
    refusal: str


@dataclass(frozen=True, slots=True)
class Message:
    """A kind, JSON values, and columns by their names.

    From the parent: `order`, `cancel`. From the generator: `ready`, `snapshot`, `result`,
    `refused` by the guard, and `error`.
    """

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, "array[int]"] = field(default_factory=dict)


def parts(message: Message) -> Iterator[bytes | memoryview]:
    """What is written for a message, one part after another.

    Columns are views of themselves: those of a million requests need not be copied.
    """
    columns = [memoryview(column) for column in message.columns.values()]
    head = json.dumps(
        {
            "kind": message.kind,
            "values": message.values,
            "columns": [
                [name, column.typecode, len(column) * column.itemsize]
                for name, column in message.columns.items()
            ],
        }
    ).encode()
    yield _PREFIX.pack(VERSION, len(head), sum(each.nbytes for each in columns))
    yield head
    for each in columns:
        if each.nbytes:
            yield each.cast("B")


def encode(message: Message) -> bytes:
    return b"".join(parts(message))


async def read(reader: asyncio.StreamReader) -> Message | None:
    """The next message; None at the end of the pipe. Raises WrongVersion.

    A message that the other process did not finish counts as the end.
    """
    try:
        prefix = await reader.readexactly(_PREFIX.size)
        version, head_size, columns_size = _PREFIX.unpack(prefix)
        if version != VERSION:
            raise WrongVersion(
                f"The generator's message has version {version}, and this process reads "
                f"version {VERSION}; restart the process that was started earlier."
            )
        head = json.loads(await reader.readexactly(head_size))
        data = memoryview(await reader.readexactly(columns_size))
    except asyncio.IncompleteReadError:
        return None
    columns = {}
    for name, code, size in head["columns"]:
        columns[name] = array(code)
        columns[name].frombytes(data[:size])
        data = data[size:]
    return Message(head["kind"], head["values"], columns)


def order_message(order: Order) -> Message:
    # Through JSON, because only there bytes become base64.
    return Message("order", json.loads(order.model_dump_json()))


def read_order(message: Message) -> Order:
    return Order.model_validate_json(json.dumps(message.values))


def snapshot_message(snapshot: Snapshot) -> Message:
    names = [each.name for each in fields(Snapshot)]
    return Message(
        "snapshot",
        {
            name: getattr(snapshot, name)
            for name in names
            if name not in snapshots.COLUMNS
        },
        _columns(snapshot, snapshots.COLUMNS),
    )


def read_snapshot(message: Message) -> Snapshot:
    members: dict[str, Any] = {**message.values, **message.columns}
    return Snapshot(**members)


# The plan remains with the parent, and the recording goes in columns.
_RUN = {
    name: TypeAdapter(kind)
    for name, kind in get_type_hints(Run).items()
    if name not in ("plan", "recording")
}


def result_message(run: Run) -> Message:
    return Message(
        "result",
        {
            name: adapter.dump_python(getattr(run, name), mode="json")
            for name, adapter in _RUN.items()
        },
        _columns(run.recording, COLUMNS),
    )


def read_result(message: Message, plan: Plan) -> Run:
    values = {
        name: adapter.validate_python(message.values[name])
        for name, adapter in _RUN.items()
    }
    return Run(plan=plan, recording=Recording(**message.columns), **values)


def _columns(holder: object, names: Iterable[str]) -> dict[str, "array[int]"]:
    return {name: getattr(holder, name) for name in names}
