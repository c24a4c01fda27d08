"""Case folding and normalization of text that searches compare.

The folded text is Unicode's default case folding (The Unicode Standard, section 3.13:
toCasefold) of the canonical decomposition, composed again (NFC). "ΟΔΥΣΣΈΑΣ" matches
"Οδυσσέας", "STRASSE" matches "Straße", and a composed accent matches a combining one.

A function of the catalog in PostgreSQL folds both names and search terms, and the trigram
index is built with it. A row is found no matter which program wrote it. PostgreSQL 18 folds
by Unicode 16; for older versions the function is generated from Python's tables, and if
the encoding is not UTF-8 it is lower().
"""

import unicodedata
from typing import Any

NAME = "catalog_folded"
FIRST_WITH_CASEFOLD = 180000

# For ASCII, which most names are, lower() gives the same result faster.
FUNCTION = """
CREATE OR REPLACE FUNCTION catalog_folded(text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN octet_length($1) = length($1)
THEN lower($1 COLLATE "C") COLLATE "default" ELSE ({folded}) COLLATE "default" END
"""
BY_CASEFOLD = "normalize(casefold(normalize($1, NFD) COLLATE pg_unicode_fast), NFC)"
BY_LOWER = "lower($1)"


def folded(text: str) -> str:
    """The folded text, computed in Python."""
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", decomposed.casefold())


def create_function(cursor: Any) -> None:
    """Creates or replaces the function in PostgreSQL."""
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
    """The SQL expression that folds $1, from Python's Unicode tables."""
    single, several = special_foldings()
    sql = "normalize($1, NFD)"
    for character, folding in several.items():
        sql = f"replace({sql}, '{character}', '{folding}')"
    characters, foldings = "".join(single), "".join(single.values())
    return f"normalize(translate({sql}, '{characters}', '{foldings}'), NFC)"


def special_foldings() -> tuple[dict[str, str], dict[str, str]]:
    """Characters that fold to one other character, and those that fold to several.

    Characters with a decomposition are left out: they are decomposed before folding.
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
