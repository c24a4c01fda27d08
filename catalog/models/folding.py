"""Text as it is compared in searches: without case, and each character written one way.

Unicode's default case folding (The Unicode Standard, section 3.13: toCasefold) of the
canonical decomposition, composed again (NFC): "ΟΔΥΣΣΈΑΣ" is "Οδυσσέας", "STRASSE" is
"Straße", and an accent is the same whether it is a character of its own or not.

PostgreSQL folds names and search terms alike, by a function of the catalog's own, which
the index of trigrams is made with: so whoever writes a row, it is found. PostgreSQL 18
has Unicode 16 for that. An older one, or one whose encoding is not UTF-8, gets a
function made from Python's tables, and without UTF-8 lower() has to do.
"""

import unicodedata
from typing import Any

NAME = "catalog_folded"
FIRST_WITH_CASEFOLD = 180000

# Most names are ASCII, where folding is what lower() has always done, only faster.
FUNCTION = """
CREATE OR REPLACE FUNCTION catalog_folded(text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN octet_length($1) = length($1)
THEN lower($1 COLLATE "C") COLLATE "default" ELSE ({folded}) COLLATE "default" END
"""
BY_CASEFOLD = "normalize(casefold(normalize($1, NFD) COLLATE pg_unicode_fast), NFC)"
BY_LOWER = "lower($1)"


def folded(text: str) -> str:
    """The same in Python, for what is to be known before PostgreSQL is asked."""
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", decomposed.casefold())


def create_function(cursor: Any) -> None:
    """Creates or replaces the function by which names are folded."""
    cursor.execute(
        "SELECT current_setting('server_version_num')::integer,"
        " current_setting('server_encoding')"
    )
    version, encoding = cursor.fetchone()
    if encoding != "UTF8":
        sql = BY_LOWER
    elif version >= FIRST_WITH_CASEFOLD:
        sql = BY_CASEFOLD
    else:
        sql = by_table()
    cursor.execute(FUNCTION.format(folded=sql))


def by_table() -> str:
    """The expression that folds $1 by Python's table of Unicode."""
    single, several = special_foldings()
    sql = "normalize($1, NFD)"
    for character, folding in several.items():
        sql = f"replace({sql}, '{character}', '{folding}')"
    characters, foldings = "".join(single), "".join(single.values())
    return f"normalize(translate({sql}, '{characters}', '{foldings}'), NFC)"


def special_foldings() -> tuple[dict[str, str], dict[str, str]]:
    """Characters that fold to one other, and those that fold to several.

    Without those that have a decomposition, which are gone before they are folded.
    """
    foldings = {
        character: character.casefold()
        for character in map(chr, range(0x110000))
        if character != character.casefold()
        and unicodedata.normalize("NFD", character) == character
    }
    single = {each: to for each, to in foldings.items() if len(to) == 1}
    several = {each: to for each, to in foldings.items() if len(to) > 1}
    return single, several
