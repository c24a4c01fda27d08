"""Checks of schemathesis's responses beyond its own."""

from typing import Any

import schemathesis

# Errors of values that match their schema: it cannot say what the database has.
UNKNOWABLE = {
    "brand_id": "no brand has this ID",
    "cursor": "",
    "q": "after its case is folded",
}


@schemathesis.check
def valid_data_is_accepted(
    ctx: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case[Any],
) -> None:
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive:
        return
    # Other errors depend on more than the data: a changed row, a used key, a limit.
    assert response.status_code != 415
    if response.status_code != 400:
        return
    wrong = response.json().get("errors", [])
    assert wrong and all(
        each["field"] in UNKNOWABLE and UNKNOWABLE[each["field"]] in each["message"]
        for each in wrong
    ), response.text


@schemathesis.check
def an_error_is_a_problem(
    ctx: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case[Any],
) -> None:
    if response.status_code >= 400 and case.method != "HEAD":
        assert response.headers["content-type"] == ["application/problem+json"]
        assert response.json()["status"] == response.status_code
