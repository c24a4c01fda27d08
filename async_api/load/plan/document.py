"""The JSON document of a plan: read with every error at once, written, and its schema."""

import json
from base64 import b64encode
from collections import Counter
from dataclasses import asdict
from os.path import isfile
from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from async_api.load.plan import headers
from async_api.load.plan.bodies import no_files, reader_of_files
from async_api.load.plan.errors import InvalidPlan, PlanError, errors_of, shown
from async_api.load.plan.limits import PlanLimits
from async_api.load.plan.loads import (
    LoadMembers,
    build_load,
    load_errors,
    seconds_of,
)
from async_api.load.plan.members.plan import (
    MAX_REQUESTS,
    MODELS,
    ConditionsMembers,
    PlanMembers,
)
from async_api.load.plan.members.request import RequestMembers
from async_api.load.plan.members.statuses import written_statuses
from async_api.load.plan.plan import (
    Checks,
    Closed,
    Conditions,
    Header,
    Load,
    Plan,
    Rate,
    Request,
)
from async_api.load.plan.requests import NotBuilt, build_request, with_unique_names

SCHEMA = "https://json-schema.org/draft/2020-12/schema"

Valid = TypeVar("Valid")


def read_plan(document: object, limits: PlanLimits, *, files: bool = False) -> Plan:
    """The plan in a document, which is what `json.loads` returns; raises InvalidPlan.

    Files that the document names are read only if `files` is true.
    """
    errors: list[PlanError] = []
    try:
        PlanMembers.model_validate(document)
    except ValidationError as invalid:
        errors += errors_of(invalid, MODELS)
    # What is valid by itself is checked against the rest, whatever is wrong elsewhere.
    parts = document if isinstance(document, dict) else {}
    requests, request_errors = _requests(parts.get("requests"), limits, files)
    errors += request_errors
    load = _valid(LOAD, parts.get("load"))
    conditions = _valid(CONDITIONS, parts.get("conditions", {}))
    if load is not None:
        errors += load_errors(load, limits)
    if conditions is not None:
        errors += _condition_errors(conditions, load, files)
    if errors:
        raise InvalidPlan(errors)
    assert load is not None and conditions is not None
    return Plan(
        requests=tuple(requests),
        load=build_load(load, limits),
        conditions=Conditions(
            **conditions.model_dump(exclude={"ca_file"}),
            ca_file=conditions.ca_file or "",
        ),
        budgets=tuple(parts.get("budgets", ())),
    )


def read_plan_text(
    text: str | bytes, limits: PlanLimits, *, files: bool = False
) -> Plan:
    """The plan in a JSON text, in UTF-8; raises InvalidPlan."""
    return read_plan(parse_document(text), limits, files=files)


def parse_document(text: str | bytes) -> object:
    """The document in a JSON text; raises InvalidPlan for one that is not JSON.

    A member that is given twice is refused, because only one of them would count.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        document: object = json.loads(
            text, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant
        )
    except RecursionError as error:
        raise InvalidPlan(
            [PlanError("", "", "the JSON is nested too deeply")]
        ) from error
    except ValueError as error:
        raise InvalidPlan(
            [PlanError("", "", f"the text is not a JSON document: {error}")]
        ) from error
    return document


def write_plan(plan: Plan) -> dict[str, Any]:
    """The document of a plan, secrets included; reading it gives an equal plan."""
    document: dict[str, Any] = {
        "requests": [_written_request(request) for request in plan.requests],
        "load": _written_load(plan.load),
    }
    conditions = {
        name: value
        for name, value in asdict(plan.conditions).items()
        if value != getattr(Conditions(), name)
    }
    if conditions:
        document["conditions"] = conditions
    if plan.budgets:
        document["budgets"] = list(plan.budgets)
    return document


def plan_schema() -> dict[str, Any]:
    """The JSON schema of the document (draft 2020-12), without an installation's limits."""
    schema = PlanMembers.model_json_schema(by_alias=True)
    pair = {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "string"}],
        "minItems": 2,
        "maxItems": 2,
    }
    items = schema["$defs"]["RequestMembers"]["properties"]["headers"]
    items["items"] = {"anyOf": [pair, items["items"]]}
    return {"$schema": SCHEMA, "title": "Plan of a load run"} | {
        name: value for name, value in schema.items() if name != "title"
    }


LOAD: TypeAdapter[LoadMembers] = TypeAdapter(PlanMembers.__annotations__["load"])
CONDITIONS = TypeAdapter(ConditionsMembers)
REQUEST = TypeAdapter(RequestMembers)


def _valid(adapter: TypeAdapter[Valid], value: object) -> Valid | None:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


def _requests(
    documents: object, limits: PlanLimits, files: bool
) -> tuple[list[Request], list[PlanError]]:
    """The requests of the documents that are valid, and what else is wrong with them."""
    if not isinstance(documents, list):
        return [], []
    read = reader_of_files(limits.body_bytes) if files else no_files
    requests: list[Request] = []
    named: list[bool] = []
    errors: list[PlanError] = []
    first_with: dict[str, int] = {}
    for index, document in enumerate(documents[:MAX_REQUESTS]):
        members = _valid(REQUEST, document)
        if members is None:
            continue
        location = f"requests[{index}]"
        if members.name is not None:
            first = first_with.setdefault(members.name, index)
            if first != index:
                errors.append(
                    PlanError(
                        f"{location}.name",
                        shown(members.name),
                        f"is already the name of requests[{first}]; names are unique",
                    )
                )
        try:
            requests.append(build_request(members, location, read, limits.body_bytes))
            named.append(members.name is not None)
        except NotBuilt as not_built:
            errors.append(not_built.error)
    return with_unique_names(requests, named), errors


def _condition_errors(
    conditions: ConditionsMembers, load: LoadMembers | None, files: bool
) -> list[PlanError]:
    errors = []
    whole = None if load is None else seconds_of(load)
    if whole is not None and conditions.warm_up_seconds >= whole:
        errors.append(
            PlanError(
                "conditions.warm_up_seconds",
                shown(conditions.warm_up_seconds),
                f"must be less than the {whole:g} s of the run",
            )
        )
    if conditions.ca_file is not None and not (files and isfile(conditions.ca_file)):
        errors.append(
            PlanError(
                "conditions.ca_file",
                shown(conditions.ca_file),
                "is not a file" if files else "cannot be used here; files are not read",
            )
        )
    return errors


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for name, count in Counter(name for name, _ in pairs).items():
        if count > 1:
            raise ValueError(f"the member {shown(name)} is given {count} times")
    return dict(pairs)


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


def _written_request(request: Request) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": request.name,
        "url": str(request.target),
        "method": request.method,
    }
    if request.headers:
        document["headers"] = [_written_header(each) for each in request.headers]
    if request.body:
        try:
            document["body"] = {"text": request.body.decode()}
        except UnicodeDecodeError:
            document["body"] = {"base64": b64encode(request.body).decode()}
    if request.weight != 1:
        document["weight"] = request.weight
    if request.checks != Checks():
        document["checks"] = _written_checks(request.checks)
    return document


def _written_header(header: Header) -> list[str] | dict[str, Any]:
    if header.secret == headers.is_secret(header.name):
        return [header.name, header.value]
    return asdict(header)


def _written_checks(checks: Checks) -> dict[str, Any]:
    document = {
        name: value
        for name, value in asdict(checks).items()
        if value != getattr(Checks(), name)
    }
    if checks.statuses is not None:
        document["statuses"] = written_statuses(checks.statuses)
    return document


def _written_load(load: Load) -> dict[str, Any]:
    document = asdict(load)
    if isinstance(load, Closed):
        kind = "closed"
        document = {
            name: value for name, value in document.items() if value is not None
        }
    else:
        kind = "rate" if isinstance(load, Rate) else "steps"
        if load.spacing == "even":
            del document["seed"]
    if kind == "steps":
        document["values"] = list(document["values"])
        if document["of"] == "connections":
            document = {name: document[name] for name in ("of", "values", "seconds")}
    return {"kind": kind} | document


if __name__ == "__main__":
    print(json.dumps(plan_schema(), indent=2))
