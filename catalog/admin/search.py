"""Search terms of the admin: words of a name, or a number."""

from django.contrib.postgres.lookups import DataContains
from django.db.models import F, Q, Value
from django.db.models.lookups import Contains

from catalog.models.product import NAME_LENGTH, Folded, Trigrams

# More digits than the largest key has.
MAX_DIGITS = 10
# Distinct words; each becomes two conditions of the query.
MAX_WORDS = 50


def number_in(term: str) -> int | None:
    """The search term as a number; None if it is anything else."""
    term = term.strip()
    if term.isdecimal() and len(term) <= MAX_DIGITS:
        return int(term)
    return None


def named(term: str) -> Q:
    """Rows whose name contains all words of the term, in any order and in any case.

    Words of three characters and more are found through the trigram index, if the table
    has one. More than MAX_WORDS words, or a word longer than a name, match nothing.
    """
    # PostgreSQL's text cannot contain NUL, so no name matches such a word.
    words = term.replace("\0", "\N{REPLACEMENT CHARACTER}").split()
    wanted = Q()
    for place, word in enumerate(dict.fromkeys(words)):
        if place == MAX_WORDS or len(word) > NAME_LENGTH:
            return Q(pk__in=())
        wanted &= Q(DataContains(Trigrams(F("name")), Trigrams(Value(word))))
        wanted &= Q(Contains(Folded(F("name")), Folded(Value(word))))
    return wanted


def named_or_numbered(term: str) -> Q:
    """The same rows, and the row whose key is the number in the term."""
    number = number_in(term)
    return named(term) if number is None else named(term) | Q(id=number)
