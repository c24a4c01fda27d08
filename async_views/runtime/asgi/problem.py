"""The exception that carries problem details to the code that responds."""

from collections.abc import Mapping, Sequence

from async_views.runtime.asgi.problem_details import (
    MAX_DETAIL,
    RETRY_AFTER_SECONDS,
    FieldError,
    ProblemDetails,
    shortened,
)

MAX_ERRORS = 20


class Problem(Exception):
    """An error for the client, to raise or to respond with."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        detail = shortened(detail, MAX_DETAIL)
        super().__init__(detail)
        self.details = ProblemDetails(
            status,
            detail,
            [
                FieldError(shortened(each.field), shortened(each.value), each.message)
                for each in errors
            ],
        )
        self.headers = headers or {}


def wrong_values(
    errors: Sequence[FieldError], status: int = 400, of: int | None = None
) -> Problem:
    """A problem that lists the first MAX_ERRORS errors, and says how many there are.

    All of them could be a response many times as long as the request. `of` is the number
    of errors, if `errors` does not have them all.
    """
    listed = errors[:MAX_ERRORS]
    count = len(errors) if of is None else of
    said = [sentence(f"{shortened(error.field)}: {error.message}") for error in listed]
    if count > len(listed):
        said.append(f"{count:,} values are wrong: the first {len(listed)} are listed.")
    return Problem(status, " ".join(said), listed)


def sentence(words: str) -> str:
    return words if words.endswith((".", "?", "!")) else f"{words}."


def unavailable(detail: str) -> Problem:
    return Problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
