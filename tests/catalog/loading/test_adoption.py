"""Adopting a database that the book's statements created, without losing anything."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

import psycopg
import pytest

from tests.support.catalog.databases import manage, new_database
from tests.support.site import ROOT

TABLES = ("brand", "product", "product_color", "product_size", "sku")

# The tables of listing 5.2, and fewer rows than listings 5.2 and 5.4 to 5.6 insert.
BOOK = """
CREATE TABLE brand (brand_id SERIAL PRIMARY KEY, brand_name TEXT NOT NULL);
CREATE TABLE product (
    product_id SERIAL PRIMARY KEY,
    product_name TEXT NOT NULL,
    brand_id INT NOT NULL,
    FOREIGN KEY (brand_id) REFERENCES brand(brand_id)
);
CREATE TABLE product_color (
    product_color_id SERIAL PRIMARY KEY, product_color_name TEXT NOT NULL
);
CREATE TABLE product_size (
    product_size_id SERIAL PRIMARY KEY, product_size_name TEXT NOT NULL
);
CREATE TABLE sku (
    sku_id SERIAL PRIMARY KEY,
    product_id INT NOT NULL,
    product_size_id INT NOT NULL,
    product_color_id INT NOT NULL,
    FOREIGN KEY (product_id) REFERENCES product(product_id),
    FOREIGN KEY (product_size_id) REFERENCES product_size(product_size_id),
    FOREIGN KEY (product_color_id) REFERENCES product_color(product_color_id)
);
INSERT INTO product_color VALUES (1, 'Blue');
INSERT INTO product_color VALUES (2, 'Black');
INSERT INTO product_size VALUES (1, 'Small');
INSERT INTO product_size VALUES (2, 'Medium');
INSERT INTO product_size VALUES (3, 'Large');
"""
BRANDS, PRODUCTS, SKUS = 10, 100, 3000


def fill_as_the_book(connection: psycopg.Connection) -> None:
    chance = random.Random(5)
    cursor = connection.cursor()
    cursor.executemany(
        "INSERT INTO brand VALUES (DEFAULT, %s)",
        [(f"brand {number}",) for number in range(BRANDS)],
    )
    cursor.executemany(
        "INSERT INTO product VALUES (DEFAULT, %s, %s)",
        [("ten words " * 5, chance.randint(1, BRANDS)) for _ in range(PRODUCTS)],
    )
    cursor.executemany(
        "INSERT INTO sku VALUES (DEFAULT, %s, %s, %s)",
        [
            (chance.randint(1, PRODUCTS), chance.randint(1, 3), chance.randint(1, 2))
            for _ in range(SKUS)
        ],
    )


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    return {table: query(url, f"SELECT * FROM {table} ORDER BY 1") for table in TABLES}


def rules(url: str) -> set[tuple[Any, ...]]:
    """The name and definition of each index or constraint of the catalog's tables."""
    return set(
        query(
            url,
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            f" WHERE contype <> 'n' AND conrelid::regclass::text IN {TABLES}",
        )
    )


def run_orm(url: str, script: str) -> Any:
    """The value of `answer` after running a script with the models, through JSON."""
    finished = manage(
        url,
        "shell",
        "--no-imports",
        "--command",
        "import json\n"
        "from django.core.exceptions import ValidationError\n"
        "from django.db import IntegrityError, transaction\n"
        "from django.db.models import ProtectedError\n"
        "from catalog.models import *\n"
        + dedent(script)
        + "\nprint(json.dumps(answer))",
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def warnings(said: str) -> list[str]:
    return re.findall(r"WARNING\] catalog\S*: (.+)", said)


@pytest.fixture
def book() -> Iterator[str]:
    """A small database as chapter 5 of the book creates it."""
    with new_database() as url:
        with psycopg.connect(url) as connection:
            connection.execute(BOOK)
            fill_as_the_book(connection)
        yield url


@dataclass(frozen=True, slots=True)
class Adopted:
    """The book's database after `migrate`, its earlier rows, and the output."""

    url: str
    before: dict[str, list[tuple[Any, ...]]]
    rules_before: set[tuple[Any, ...]]
    said: str


@pytest.fixture
def adopted(book: str) -> Adopted:
    before, rules_before = contents(book), rules(book)
    migrated = manage(book, "migrate", "--verbosity=0")
    assert migrated.returncode == 0, migrated.stderr
    return Adopted(book, before, rules_before, migrated.stdout + migrated.stderr)


def test_nothing_is_lost_or_changed(adopted: Adopted) -> None:
    after = contents(adopted.url)

    assert after == adopted.before
    assert [len(after[table]) for table in TABLES] == [BRANDS, PRODUCTS, 2, 3, SKUS]
    assert adopted.rules_before < rules(adopted.url)


def test_a_constraint_that_rows_violate_is_left_out_and_one_line_says_so(
    adopted: Adopted,
) -> None:
    alike = "sku.product_id, sku.product_size_id, sku.product_color_id"
    [(different,)] = query(adopted.url, f"SELECT count(DISTINCT ({alike})) FROM sku")
    [example] = query(
        adopted.url,
        "SELECT * FROM sku WHERE EXISTS (SELECT FROM sku AS other WHERE"
        f" ({alike.replace('sku.', 'other.', 3)}) = ({alike})"
        " AND other.sku_id < sku.sku_id) ORDER BY sku_id LIMIT 1",
    )
    columns = ("sku_id", "product_id", "product_size_id", "product_color_id")

    assert warnings(adopted.said) == [
        f"The constraint sku_combination was not added: {SKUS - different:,} of"
        f" {SKUS:,} rows of sku violate it, such as "
        + ", ".join(f"{c} {v}" for c, v in zip(columns, example, strict=True))
        + ". Once they are fixed, `manage.py adopt_catalog` adds it."
    ]
    names = {name for name, _ in rules(adopted.url)}
    assert "sku_combination" not in names
    assert {"brand_name_not_blank", "product_name_not_blank"} < names


def test_it_gets_the_indexes_that_the_book_s_tables_lack(adopted: Adopted) -> None:
    indexes = {
        name
        for (name,) in query(
            adopted.url, f"SELECT indexname FROM pg_indexes WHERE tablename IN {TABLES}"
        )
    }

    assert indexes > {
        "product_brand_id",
        "product_name_id",
        "product_name_trigrams",
        "sku_product_id",
        "sku_size",
        "sku_color",
    }


def test_new_rows_in_the_admin_get_new_keys(adopted: Adopted) -> None:
    keys = run_orm(
        adopted.url,
        """
        rows = [Brand(name="new"), ProductColor(name="new"), ProductSize(name="new")]
        for row in rows:
            row.full_clean()
            row.save()
        product = Product(name="new", brand=rows[0])
        product.full_clean()
        product.save()
        sku = Sku(product=product, color=rows[1], size=rows[2])
        sku.full_clean()
        sku.save()
        answer = [row.pk for row in (*rows, product, sku)]
        """,
    )
    [(by_hand,)] = query(
        adopted.url,
        "INSERT INTO product_color VALUES (DEFAULT, 'x') RETURNING product_color_id",
    )

    assert keys == [BRANDS + 1, 3, 4, PRODUCTS + 1, SKUS + 1]
    assert by_hand == 4


def test_a_used_key_is_not_used_again(book: str) -> None:
    with psycopg.connect(book) as connection:
        connection.execute("DELETE FROM sku WHERE sku_id > 2000")

    manage(book, "migrate", "--verbosity=0")

    [(key,)] = query(book, "INSERT INTO sku VALUES (DEFAULT, 1, 1, 1) RETURNING sku_id")
    assert key == SKUS + 1


@pytest.mark.parametrize("whose", ["the book's", "ours"])
def test_references_hold_whether_they_are_checked_at_once_or_at_the_end(
    whose: str, request: pytest.FixtureRequest
) -> None:
    with new_database() as empty:
        if whose == "ours":
            manage(empty, "migrate", "--verbosity=0")
            manage(empty, "seed_catalog", "--products=10")
            url = empty
        else:
            url = request.getfixturevalue("adopted").url

        answer = run_orm(
            url,
            """
            answer = []
            try:
                with transaction.atomic():
                    Product.objects.create(name="without a brand", brand_id=4711)
            except IntegrityError:
                answer.append("no such brand")
            product = Product.objects.filter(skus__isnull=False).first()
            try:
                product.brand.delete()
            except ProtectedError:
                answer.append("brand has products")
            of_it = Sku.objects.filter(product_id=product.pk)
            before = of_it.count() > 0
            product.delete()
            answer.append([before, of_it.count()])
            """,
        )

    assert answer == ["no such brand", "brand has products", [True, 0]]


def test_adopting_reports_what_still_violates_a_constraint(adopted: Adopted) -> None:
    refused = manage(adopted.url, "adopt_catalog")

    assert refused.returncode == 1
    [left_out] = warnings(adopted.said)
    assert refused.stderr.strip() == "CommandError: " + left_out.split(" Once ")[0]
    assert refused.stdout == ""


def test_the_documented_statement_fixes_the_rows_and_adopting_adds_the_constraint(
    adopted: Adopted,
) -> None:
    document = (ROOT / "docs" / "catalog.md").read_text()
    [mend] = re.findall(r"```sql\n(.+?)```", document, re.DOTALL)
    alike = "product_id, product_size_id, product_color_id"
    first_of_each = query(
        adopted.url, f"SELECT min(sku_id) FROM sku GROUP BY {alike} ORDER BY 1"
    )
    with psycopg.connect(adopted.url) as connection:
        connection.execute(mend)

    added = manage(adopted.url, "adopt_catalog")
    again = manage(adopted.url, "adopt_catalog")

    assert query(adopted.url, "SELECT sku_id FROM sku ORDER BY 1") == first_of_each
    assert (added.returncode, added.stdout) == (0, "  added      sku_combination\n")
    assert (again.returncode, again.stdout) == (0, "")
    assert ("sku_combination", f"UNIQUE ({alike})") in rules(adopted.url)


def test_blank_names_are_kept_and_reported(book: str) -> None:
    with psycopg.connect(book) as connection:
        connection.execute("UPDATE brand SET brand_name = E' \\t' WHERE brand_id = 3")

    migrated = manage(book, "migrate", "--verbosity=0")

    assert migrated.returncode == 0
    assert warnings(migrated.stderr)[0] == (
        "The constraint brand_name_not_blank was not added: 1 of 10 rows of brand violate"
        " it, such as brand_id 3, brand_name ' \\t'. Once they are fixed, `manage.py"
        " adopt_catalog` adds it."
    )
    assert query(book, "SELECT brand_name FROM brand WHERE brand_id = 3") == [(" \t",)]


def test_a_constraint_that_was_left_out_can_be_reverted_and_tried_again(
    adopted: Adopted,
) -> None:
    back = manage(adopted.url, "migrate", "catalog", "0001", "--verbosity=0")
    forth = manage(adopted.url, "migrate", "catalog", "--verbosity=0")

    assert (back.returncode, forth.returncode) == (0, 0), back.stderr + forth.stderr
    assert warnings(forth.stderr) == warnings(adopted.said)
    assert contents(adopted.url) == adopted.before


def test_replacing_it_by_the_example_keeps_the_book_s_references(
    adopted: Adopted,
) -> None:
    before = rules(adopted.url)

    seeded = manage(adopted.url, "seed_catalog", "--products=10", "--replace")

    assert seeded.returncode == 0, seeded.stderr
    assert rules(adopted.url) == before
    assert query(adopted.url, "SELECT count(*) FROM sku") == [(1000,)]


def test_a_table_of_another_program_is_refused_in_one_sentence() -> None:
    with new_database() as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE product (product_id int, name text)")

        refused = manage(url, "migrate", "--verbosity=0")

        assert refused.returncode == 1
        assert refused.stderr == (
            "CommandError: The database in DATABASE_URL has a table product without the"
            " column product_name: use the book's database, or one without such a table.\n"
        )
        assert query(url, "SELECT to_regclass('brand')") == [(None,)]


def test_the_migrations_match_the_models() -> None:
    with new_database() as url:
        checked = manage(url, "makemigrations", "--check", "--dry-run")

    assert checked.returncode == 0, checked.stdout
