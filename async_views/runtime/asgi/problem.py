"""The exception that carries problem details to whatever answers the client."""

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
    """What is wrong, for whom it may concern: raise it, or answer with it."""

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
    """The first MAX_ERRORS of them, and how many there are where these are not all.

    All of them would be an answer many times as long as the request. `of` is how many
    there are, where `errors` are not all.
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
