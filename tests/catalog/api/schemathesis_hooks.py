"""What does schemathesis ask of an answer beyond its own checks?"""

from typing import Any

import schemathesis

# A good value by its schema may still be none that this database, or this list, has.
NOBODY_KNOWS = {
    "brand_id": "no brand has this number",
    "cursor": "",
    "q": "after its case is folded",
}


@schemathesis.check
def good_data_are_taken(
    ctx: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case[Any],
) -> None:
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive:
        return
    # Others are of a row that changed, of a key used before, of a limit.
    assert response.status_code != 415
    if response.status_code != 400:
        return
    wrong = response.json().get("errors", [])
    assert wrong and all(
        each["field"] in NOBODY_KNOWS and NOBODY_KNOWS[each["field"]] in each["message"]
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
