"""Errors for unknown and repeated query parameters.

A program gets a 400, because it would rely on a response to a different request. A person
gets a notice, with links to what was probably meant.
"""

from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict

from async_views.runtime.asgi.problem import Problem
from async_views.runtime.asgi.problem_details import FieldError, shortened
from async_views.runtime.views.negotiation import wants_page
from async_views.runtime.views.problems import problem_response
from async_views.runtime.views.unknown_parameters import likely, unknown_parameters

MAX_NAMED = 20
MAX_REPEATS_OFFERED = 3

Pairs = list[tuple[str, str]]
View = Callable[..., Coroutine[Any, Any, HttpResponse]]


@dataclass(frozen=True, slots=True)
class Repair:
    """A query that was probably meant, to offer as a link."""

    text: str
    query: str


def parameter_errors(given: QueryDict, known: Collection[str]) -> list[FieldError]:
    """An error for each unknown parameter, and for each known one that is repeated."""
    unknown = [
        FieldError(name, shortened(str(given[name])), sentence(f"This {message}"))
        for name, message in unknown_parameters(given, known)
    ]
    repeated = [
        FieldError(
            name,
            shortened(str(given[name])),
            f"This is given {len(given.getlist(name))} times: give it once.",
        )
        for name in repeats(given, known)
    ]
    errors = unknown + repeated
    if len(errors) <= MAX_NAMED:
        return errors
    *named, last = errors[:MAX_NAMED]
    others = f"{last.message} {len(errors) - MAX_NAMED:,} more are wrong too."
    return [*named, FieldError(last.field, last.value, others)]


def sentence(text: str) -> str:
    return text if text.endswith(("?", ".")) else f"{text}."


def repeats(given: QueryDict, known: Collection[str]) -> list[str]:
    return [name for name in given if name in known and len(given.getlist(name)) > 1]


def repairs(given: QueryDict, known: Collection[str]) -> list[Repair]:
    return [*renamed(given, known), *left_out(given, known), *given_once(given, known)]


def renamed(given: QueryDict, known: Collection[str]) -> list[Repair]:
    """The query with the names that were probably meant, without other unknown ones."""
    meant: dict[str, str] = {}
    for name in unknown_in(given, known):
        near = likely(name, known)
        if near is not None and near not in given and near not in meant.values():
            meant[name] = near
    if not meant:
        return []
    read = ", ".join(f"{name} as {near}" for name, near in meant.items())
    others = [name for name in unknown_in(given, known) if name not in meant]
    without = f", without {', '.join(others)}" if others else ""
    pairs = [
        (meant.get(name, name), value)
        for name, value in pairs_of(given)
        if name in known or name in meant
    ]
    return [Repair(f"Read {read}{without}", urlencode(pairs))]


def left_out(given: QueryDict, known: Collection[str]) -> list[Repair]:
    """The query without the unknown parameters."""
    names = unknown_in(given, known)
    kept = [(name, value) for name, value in pairs_of(given) if name in known]
    if not names or not kept:
        return []
    return [Repair(f"Leave out {', '.join(names)}", urlencode(kept))]


def given_once(given: QueryDict, known: Collection[str]) -> list[Repair]:
    """For each repeated parameter, the query with only one of its values."""
    return [
        Repair(
            f"Only {name}={value}",
            urlencode(
                [*(pair for pair in pairs_of(given) if pair[0] != name), (name, value)]
            ),
        )
        for name in repeats(given, known)
        for value in list(dict.fromkeys(given.getlist(name)))[:MAX_REPEATS_OFFERED]
    ]


def unknown_in(given: QueryDict, known: Collection[str]) -> list[str]:
    """The first unknown names, at most MAX_NAMED."""
    return [name for name in given if name not in known][:MAX_NAMED]


def pairs_of(given: QueryDict) -> Pairs:
    return [(name, value) for name, values in given.lists() for value in values]


def ignored_parameters(
    request: HttpRequest, known: Collection[str], *, page: bool = True
) -> Problem | None:
    """Lets base.html list the parameters that a page ignores; a problem for programs.

    `page` says whether the route has a page at all.
    """
    if not request.META["QUERY_STRING"]:
        return None
    errors = parameter_errors(request.GET, known)
    if errors and not (page and wants_page(request)):
        return ignored(errors)
    request.ignored_parameters = errors  # type: ignore[attr-defined]
    return None


def takes_no_parameters(*, page: bool) -> Callable[[View], View]:
    """Decorates an asynchronous view; `page` says that it has a page for the notice."""

    def decorate(view: View) -> View:
        @wraps(view)
        async def checked(request: HttpRequest) -> HttpResponse:
            problem = ignored_parameters(request, (), page=page)
            return (
                problem_response(request, problem) if problem else await view(request)
            )

        return checked

    return decorate


def ignored(errors: Collection[FieldError]) -> Problem:
    detail = " ".join(f"{shortened(error.field)}: {error.message}" for error in errors)
    return Problem(400, detail, list(errors))
