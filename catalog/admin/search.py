"""Which rows does somebody mean who types words, or a number?"""

from django.contrib.postgres.lookups import DataContains
from django.db.models import F, Q, Value
from django.db.models.lookups import Contains

from catalog.models.product import NAME_LENGTH, Folded, Trigrams

# More than the largest key has.
MOST_DIGITS = 10
# Different ones. Each is two conditions, and nobody types as many.
MOST_WORDS = 50


def number_in(term: str) -> int | None:
    """The number that is searched for, where it is one and nothing else."""
    term = term.strip()
    if term.isdecimal() and len(term) <= MOST_DIGITS:
        return int(term)
    return None


def named(term: str) -> Q:
    """Rows whose name has all of these words in it, in any order and in any case.

    The index of trigrams, where the table has one, finds words of three letters or more.
    More than MOST_WORDS words, or one that is longer than a name, find nothing.
    """
    # PostgreSQL's text holds no NUL, so nothing is called what has one in it.
    words = term.replace("\0", "\N{REPLACEMENT CHARACTER}").split()
    wanted = Q()
    for place, word in enumerate(dict.fromkeys(words)):
        if place == MOST_WORDS or len(word) > NAME_LENGTH:
            return Q(pk__in=())
        wanted &= Q(DataContains(Trigrams(F("name")), Trigrams(Value(word))))
        wanted &= Q(Contains(Folded(F("name")), Folded(Value(word))))
    return wanted


def named_or_numbered(term: str) -> Q:
    """The same, and the row that has this number as its key."""
    number = number_in(term)
    return named(term) if number is None else named(term) | Q(id=number)
