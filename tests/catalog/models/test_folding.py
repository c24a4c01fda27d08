"""Searches fold case by Unicode's rules, in the API, on pages and in the admin."""

import unicodedata
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.db import connection

from catalog.models.folding import FUNCTION, by_table, create_function, folded
from tests.support.catalog.service import Catalog

# Names, and search terms that match them.
FOUND = [
    ("Οδυσσέας", "ΟΔΥΣΣΈΑΣ"),
    ("ΟΔΥΣΣΈΑΣ", "οδυσσέας"),
    ("Οδυσσέας", "έασ"),
    ("Straße", "STRASSE"),
    ("STRASSE", "straße"),
    ("GROẞ", "gross"),
    ("İstanbul", "i\N{COMBINING DOT ABOVE}STANBUL"),
    ("ﬁne oﬃce", "FINE OFFICE"),
    ("ꮳꮃꭹ", "ᏣᎳᎩ"),
    ("ᏣᎳᎩ", "ꮳꮃꭹ"),
    ("Café", "CAFE\N{COMBINING ACUTE ACCENT}"),
    ("Cafe\N{COMBINING ACUTE ACCENT}", "CAFÉ"),
    ("ǰamal", "J\N{COMBINING CARON}AMAL"),
    ("ᾳδης", "ΑΙΔΗΣ"),
    ("ŉdaba", "ʼNDABA"),
    ("ÅNGSTRÖM", "\N{ANGSTROM SIGN}ngström"),
    ("한국어", unicodedata.normalize("NFD", "한국어")),
    ("МОСКВА", "москва"),
    ("ԵՒՐՈՊԱ", "եւրոպա"),
    ("𐐀𐐁𐐂", "𐐨𐐩𐐪"),
    ("xßx", "ßx"),
    ("100%_Größe\\", "%_GRÖSSE\\"),
]
# Letters that are distinct in Unicode, and characters with a meaning in patterns.
NOT_FOUND = [
    ("Café", "cafe"),
    ("ISTANBUL", "ıstanbul"),
    ("İstanbul", "istanbul"),
    ("100 percent", "100%"),
    ("abcd", "a_cd"),
]


def insert(catalog: Catalog, name: str) -> None:
    catalog.insert("brand", [("Acme",)])
    catalog.insert("product", [("Other", 1), (name, 1)])


def found(catalog: Catalog, q: str) -> list[int]:
    answer = catalog.get(f"/products?{urlencode({'q': q})}")
    return [row["product_id"] for row in answer.json]


@pytest.mark.parametrize(("name", "q"), FOUND)
def test_a_name_is_found_in_any_case(catalog: Catalog, name: str, q: str) -> None:
    insert(catalog, name)

    assert found(catalog, q) == [2]
    page = catalog.get(f"/catalog/?{urlencode({'q': q})}", Accept="text/html")
    assert "/catalog/products/2/" in page.body.decode()


@pytest.mark.parametrize(("name", "q"), NOT_FOUND)
def test_a_different_text_finds_nothing(catalog: Catalog, name: str, q: str) -> None:
    insert(catalog, name)

    assert found(catalog, q) == []


def test_brands_are_found_in_any_case(catalog: Catalog) -> None:
    catalog.insert("brand", [("Οδυσσέας",), ("Straße",)])

    page = catalog.get(
        f"/catalog/brands/?{urlencode({'q': 'STRASSE'})}", Accept="text/html"
    )

    assert "Straße</a>" in page.body.decode()
    assert "Οδυσσέας</a>" not in page.body.decode()


def test_a_row_is_found_whichever_program_wrote_it(catalog: Catalog) -> None:
    brand = {"brand_name": "Acme"}
    product = {"product_name": "Straße", "brand_id": 1}
    catalog.send("POST", "/brands", brand)

    catalog.send("POST", "/products", product)
    catalog.send("POST", "/products", product, Idempotency_Key="k")
    catalog.insert("product", [("Other", 1), ("Other", 1)])
    catalog.send("PATCH", "/products/3", {"product_name": "STRAẞE"}, If_Match="*")
    catalog.execute("UPDATE product SET product_name = 'strasse' WHERE product_id = 4")

    assert found(catalog, "STRASSE") == [1, 2, 3, 4]


@pytest.mark.parametrize(("q", "status"), [("ßa", 200), ("ß", 400), ("e\u0301ab", 200)])
def test_three_characters_are_counted_after_folding(
    catalog: Catalog, q: str, status: int
) -> None:
    expected = 200 if len(folded(q)) >= 3 else 400

    assert catalog.get(f"/products?{urlencode({'q': q})}").status == expected == status


@pytest.mark.parametrize("q", ["e\u0301a", "a\u030ab", "ﬀ"])
def test_fewer_than_three_after_folding_are_refused(catalog: Catalog, q: str) -> None:
    assert catalog.get(f"/products?{urlencode({'q': q})}").status == 400
    page = catalog.get(f"/catalog/?{urlencode({'q': q})}", Accept="text/html")
    assert page.status == 400


# --- The function ---


@pytest.fixture(params=["by the server", "by the table"])
def function(request: pytest.FixtureRequest, db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        if request.param == "by the table":
            cursor.execute(FUNCTION.format(folded=by_table()))
        yield
        create_function(cursor)


@pytest.mark.usefixtures("function")
def test_postgresql_folds_every_character_as_python_does() -> None:
    folding = [
        character
        for character in map(chr, range(1, 0x110000))
        if character.casefold() != character
        or unicodedata.normalize("NFD", character) != character
        and not "가" <= character <= "힣"
    ]
    # Between other letters, because a final sigma is folded differently.
    texts = [f"Aé{character}x" for character in folding if character.isprintable()]

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT given, catalog_folded(given) FROM unnest(%s::text[]) AS given",
            [texts],
        )
        answers = dict(cursor.fetchall())

    assert len(texts) > 3000
    assert {
        text: answers[text] for text in texts if answers[text] != folded(text)
    } == {}
