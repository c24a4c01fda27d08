"""Loading the example data: complete, as in the book, and without side effects."""

import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from catalog.loading import example
from catalog.loading.example import Example, usual_skus_per_product
from catalog.models import Brand, Product, ProductColor, ProductSize, Sku
from tests.support.catalog.databases import new_database, start_managing

FEW = ("--products=50", "--skus-per-product=7")
MODELS: tuple[Any, ...] = (Brand, Product, ProductColor, ProductSize, Sku)

pytestmark = pytest.mark.django_db(transaction=True)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def seed_catalog(*arguments: str, stdout: StringIO | None = None) -> str:
    stdout = stdout or StringIO()
    call_command("seed_catalog", *arguments, stdout=stdout)
    return stdout.getvalue()


def rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def counts() -> list[int]:
    return [model.objects.count() for model in MODELS]


def contents() -> list[list[tuple[Any, ...]]]:
    return [list(model.objects.order_by("pk").values_list()) for model in MODELS]


def rules_and_indexes() -> set[tuple[str, ...]]:
    return set(
        rows(
            """
            SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
              FROM pg_constraint
             WHERE conrelid IN (SELECT oid FROM pg_class
                                 WHERE relname IN ('brand', 'product', 'sku'))
             UNION
            SELECT tablename, indexname, indexdef FROM pg_indexes
             WHERE tablename IN ('brand', 'product', 'sku')
            """
        )
    )


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited 60 seconds in vain"
        time.sleep(0.005)


def test_the_example_is_the_book_s() -> None:
    said = seed_catalog()

    assert counts() == [100, 1000, 10, 10, 100_000]
    assert list(ProductColor.objects.values_list()[:2]) == [(1, "Blue"), (2, "Black")]
    assert list(ProductSize.objects.values_list()[:3]) == [
        (1, "Small"),
        (2, "Medium"),
        (3, "Large"),
    ]
    names = Product.objects.values_list("name", flat=True)
    assert {len(name.split()) for name in names} == {10}
    assert len(set(names)) == 1000
    assert Brand.objects.values("name").distinct().count() == 100
    assert "100 brands, 1,000 products, 100,000 SKUs in " in said


def test_every_product_has_the_same_number_of_skus_and_an_existing_brand() -> None:
    seed_catalog(*FEW)

    assert {product.skus.count() for product in Product.objects.all()} == {7}
    assert Product.objects.filter(brand__isnull=True).count() == 0
    assert rows("SELECT count(*) FROM product JOIN brand USING (brand_id)") == [(50,)]


def test_the_same_options_make_the_same_rows() -> None:
    seed_catalog(*FEW)
    first = contents()

    seed_catalog(*FEW, "--replace")

    assert contents() == first
    # The same on every machine and Python version.
    assert Brand.objects.values_list("name", flat=True)[0] == "Glove Rose"
    assert Product.objects.values_list("name", "brand_id")[0] == (
        "Magnet pond rope valley pond tide ash hat valley mirror",
        21,
    )


@pytest.mark.parametrize(
    ("products", "skus"),
    [
        (1, 100),
        (1000, 100),
        (1001, 99),
        (10_000, 10),
        (1_000_000, 5),
    ],
)
def test_a_large_catalog_has_fewer_skus_per_product(products: int, skus: int) -> None:
    assert usual_skus_per_product(products) == skus


def test_no_combination_is_repeated() -> None:
    for skus_per_product in (1, 5, 99, 100):
        wanted = Example(products=3, skus_per_product=skus_per_product)

        made = list(example.skus(wanted))

        assert len({row[1:] for row in made}) == len(made) == wanted.skus
        assert {row[2] for row in made} | {row[3] for row in made} <= set(range(1, 11))


def test_the_next_rows_get_the_next_keys_from_the_orm_and_from_sql() -> None:
    seed_catalog(*FEW)

    brand = Brand.objects.create(name="Of the ORM")
    color = ProductColor.objects.create(name="Of the ORM")
    size = ProductSize.objects.create(name="Of the ORM")
    [(product,)] = rows(
        "INSERT INTO product VALUES (DEFAULT, 'Of SQL', 1) RETURNING product_id"
    )
    sku = Sku.objects.create(product_id=product, size=size, color=color)

    assert (brand.pk, color.pk, size.pk) == (101, 11, 11)
    assert (product, sku.pk) == (51, 351)


def test_a_catalog_with_rows_is_not_changed() -> None:
    seed_catalog(*FEW)
    before = contents()

    with pytest.raises(CommandError) as refusal:
        seed_catalog()

    assert str(refusal.value) == (
        "The catalog has 100 brands, 10 colours, 10 sizes, 50 products, 350 SKUs, so"
        " nothing was loaded. Use --replace to delete them first."
    )
    assert refusal.value.returncode == 1
    assert contents() == before


@pytest.mark.parametrize("model", [Brand, ProductColor, ProductSize])
def test_a_catalog_with_one_row_of_any_kind_is_not_changed(model: Any) -> None:
    model.objects.create(name="Mine")

    with pytest.raises(CommandError, match=f"has 1 {model._meta.verbose_name}, so"):
        seed_catalog(*FEW)

    assert model.objects.get().name == "Mine"


def test_replacing_deletes_the_existing_rows() -> None:
    seed_catalog(*FEW)
    Brand.objects.create(name="Mine")

    seed_catalog("--products=20", "--replace")

    assert counts() == [100, 20, 10, 10, 2000]
    assert not Brand.objects.filter(name="Mine").exists()


def test_a_row_written_by_another_transaction_is_not_lost() -> None:
    def seed_elsewhere() -> None:
        try:
            seed_catalog(*FEW)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            Brand.objects.create(name="Mine")
            seeding = pool.submit(seed_elsewhere)
            wait_until(lambda: rows("SELECT 1 FROM pg_locks WHERE NOT granted") != [])

        with pytest.raises(CommandError, match="has 1 brand, so"):
            seeding.result(10)

    assert counts() == [1, 0, 0, 0, 0]


def test_constraints_and_indexes_of_other_programs_are_kept_too() -> None:
    execute(
        'CREATE INDEX "Some body\'s" ON product (lower(product_name)) WHERE brand_id > 3'
    )
    execute('ALTER TABLE brand ADD CONSTRAINT "a rule" UNIQUE (brand_name, brand_id)')
    before = rules_and_indexes()
    try:
        seed_catalog(*FEW)

        assert rules_and_indexes() == before
        assert {"product_name_trigrams", "sku_combination"} < {row[1] for row in before}
    finally:
        execute('DROP INDEX "Some body\'s"')
        execute('ALTER TABLE brand DROP CONSTRAINT "a rule"')


def test_a_failure_in_the_middle_changes_nothing() -> None:
    seed_catalog(*FEW)
    execute("ALTER TABLE sku ADD CONSTRAINT few CHECK (sku_id <= 1000)")
    before = contents(), rules_and_indexes()
    try:
        with pytest.raises(CommandError) as failure:
            seed_catalog("--products=50", "--replace")

        assert str(failure.value) == (
            "The catalog could not be loaded and is unchanged: new row for relation"
            ' "sku" violates check constraint "few".'
        )
        assert (contents(), rules_and_indexes()) == before
    finally:
        execute("ALTER TABLE sku DROP CONSTRAINT few")


def test_ctrl_c_reports_that_nothing_is_changed_and_a_pipe_gets_the_progress(
    migrated: str,
) -> None:
    with new_database(migrated) as url:
        large = ("--products=100000", "--skus-per-product=100")
        with start_managing(url, "seed_catalog", *large) as seeding:
            assert seeding.stdout
            while "products" not in seeding.stdout.readline():
                assert seeding.poll() is None
            seeding.send_signal(signal.SIGINT)
            _, stderr = seeding.communicate()

        assert stderr == "CommandError: Stopped. The catalog is unchanged.\n"
        assert seeding.returncode == 130
        with psycopg.connect(url) as database:
            assert database.execute("SELECT count(*) FROM brand").fetchone() == (0,)


def test_the_planner_s_statistics_are_current() -> None:
    seed_catalog(*FEW)

    assert rows("SELECT reltuples FROM pg_class WHERE relname = 'sku'") == [(350,)]
    assert rows("SELECT n_distinct FROM pg_stats WHERE tablename = 'product_size'")


def test_a_pipe_gets_a_line_for_each_step() -> None:
    said = seed_catalog("--products=20000", "--skus-per-product=1")

    lines = said.splitlines()
    assert len(lines) == 7
    assert lines[3] == "  products   20,000"
    assert re.fullmatch(
        r"  catalog    100 brands, 20,000 products, 20,000 SKUs in \d+\.\d s", lines[-1]
    )


def test_a_terminal_gets_one_line_that_is_overwritten() -> None:
    said = seed_catalog("--products=20000", "--skus-per-product=1", stdout=Terminal())

    line, end = said.split("\n")
    assert end == ""
    written = line.split("\r\x1b[K")
    assert "  products   10,000 of 20,000" in written
    assert "  SKUs       20,000 of 20,000" in written
    assert written[-1].startswith("  catalog    100 brands, 20,000 products")


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("--products=0", "0 should be a whole number from 1 to 10,000,000"),
        ("--products=many", "many should be a whole number from 1 to 10,000,000"),
        ("--products=10000001", "10000001 should be a whole number from 1 to"),
        ("--skus-per-product=101", "101 should be a whole number from 0 to 100"),
    ],
)
def test_an_invalid_number_is_refused_with_what_would_be_valid(
    argument: str, sentence: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        seed_catalog(argument)

    option = argument.partition("=")[0]
    assert f"argument {option}: {sentence}" in str(refusal.value)
