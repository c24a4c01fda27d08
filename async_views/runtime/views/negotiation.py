"""Content negotiation: the format that a client prefers.

`Accept` is read as in RFC 9110, section 12.5.1: of the ranges that match a format, the most
specific gives its weight, from 0 (not acceptable) to 1. Among formats of equal weight, one
that is named precedes one matched by a wildcard, then the one that is named first. The site
decides between the rest.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest

MEDIA_TYPES = {"html": "text/html", "json": "application/json", "csv": "text/csv"}
PROBLEMS = ("text/html", "application/problem+json", "application/json")

# qvalue (RFC 9110, section 12.4.2).
WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
# A member of a list; a comma in quotes does not end it. An unclosed quote extends to the
# end, because otherwise each of many would be searched to the end.
MEMBER = re.compile(r'(?:[^,"]++|"(?:[^"\\]++|\\.)*+(?:"|\\?$))++', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wish:
    """How much a client prefers a format; the greater rank wins.

    ``weight`` is -1 for what it does not accept, and 0 for what it does not mention.
    """

    weight: float
    specificity: int = 0
    position: int = 0

    @property
    def rank(self) -> tuple[float, int, int]:
        return self.weight, self.specificity, -self.position


def weight_of(parameters: Sequence[str]) -> tuple[float, bool]:
    """The weight among a range's parameters, and whether there are other parameters.

    An invalid weight counts as 1, like a missing one. A charset is ignored: everything
    here is UTF-8.
    """
    weight, others = 1.0, False
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        name, value = name.strip().lower(), value.strip()
        if name == "q":
            if WEIGHT.fullmatch(value):
                weight = float(value)
        elif name and name != "charset":
            others = True
    return weight, others


def wishes(accept: str, media_types: Sequence[str]) -> list[Wish]:
    """The wish for each media type; reads `accept` once."""
    known = {name: [name] for name in media_types}
    for name in media_types:
        known.setdefault(f"{name.partition('/')[0]}/*", []).append(name)
    known["*/*"] = list(media_types)
    found = {name: Wish(0) for name in media_types}
    for position, member in enumerate(MEMBER.findall(accept)):
        media_range, *parameters = member.split(";")
        media_range = media_range.strip().lower()
        matched = known.get(media_range)
        if matched is None:
            continue
        weight, has_others = weight_of(parameters)
        if has_others:
            continue
        specificity = 1 if media_range == "*/*" else 2 if media_range[-1] == "*" else 3
        # The position of a wildcard does not count.
        wish = Wish(weight or -1, specificity, position if specificity == 3 else 0)
        for name in matched:
            if specificity > found[name].specificity:
                found[name] = wish
    return [found[name] for name in media_types]


def chosen_format(request: HttpRequest, formats: Mapping[str, str]) -> str:
    """The `format` in the query string, else what Accept prefers, else the first format.

    Also returns a `format` that is not one of `formats`: the form has to reject it.
    """
    requested = request.GET.get("format")
    if requested:
        return requested
    names = list(formats)
    wished = wishes(accepted_by(request), [MEDIA_TYPES[name] for name in names])
    return max(zip(names, wished, strict=True), key=lambda each: each[1].rank)[0]


def wants_page(request: HttpRequest) -> bool:
    """Whether an error should be a page: if requested, or if the client is a browser.

    Browsers name text/html in Accept; a program that accepts anything gets JSON.
    """
    try:
        requested = request.GET.get("format")
    except TooManyFieldsSent:
        # The error may be that the query string cannot be read.
        requested = None
    if requested in MEDIA_TYPES:
        return requested == "html"
    page, *documents = wishes(accepted_by(request), PROBLEMS)
    return page.specificity == 3 and page.rank > max(each.rank for each in documents)


def accepted_by(request: HttpRequest) -> str:
    accepted: str = request.META.get("HTTP_ACCEPT", "*/*")
    return accepted
