"""In which form does a client want its answer?"""

from collections.abc import Mapping

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest

MEDIA_TYPES = {"html": "text/html", "json": "application/json", "csv": "text/csv"}


def chosen_format(request: HttpRequest, formats: Mapping[str, str]) -> str:
    """The `format` of the query string, else what Accept prefers, else the first of them.

    Answers a `format` that is none of `formats` too: a form has to complain of it.
    """
    names = {MEDIA_TYPES[name]: name for name in formats}
    preferred = request.get_preferred_type(list(names))
    return request.GET.get("format") or names.get(preferred or "", next(iter(formats)))


def wants_page(request: HttpRequest) -> bool:
    """Whether an error should be a page: where one was asked for, or a browser asks.

    Browsers name text/html in Accept; programs that take anything read JSON better.
    """
    try:
        asked = request.GET.get("format")
    except TooManyFieldsSent:
        # The error to be told may be that the query string cannot be read.
        asked = None
    if asked in MEDIA_TYPES:
        return asked == "html"
    return any(
        accepted.main_type == "text" and accepted.sub_type == "html"
        for accepted in request.accepted_types
    )
