"""`manage.py seed_catalog`: loads the book's example data, or more of the same kind."""

import argparse
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    OutputWrapper,
)

from async_views.runtime.configuration.command_steps import connect, step
from catalog.loading.example import (
    BOOKS_PRODUCTS,
    COMBINATIONS,
    Example,
    usual_skus_per_product,
)
from catalog.loading.seed import CatalogNotEmpty, count_rows, in_short, in_words, seed

MAX_PRODUCTS = 10_000_000


class Command(BaseCommand):
    help = (
        "Loads the book's example data: 100 brands, 1,000 products, 100,000 SKUs; or "
        "more products of the same kind. Exit status: 0 loaded; 1 refused or failed, and "
        "nothing was changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--products",
            type=whole_number(1, MAX_PRODUCTS),
            default=BOOKS_PRODUCTS,
            metavar="N",
            help=f"number of products (default: {BOOKS_PRODUCTS})",
        )
        parser.add_argument(
            "--skus-per-product",
            type=whole_number(0, COMBINATIONS),
            metavar="N",
            help=f"number of SKUs of each product, up to {COMBINATIONS} (default: as many as "
            "make 100,000 SKUs, but at least 5: 100 for 1,000 products, 10 for 10,000, "
            "5 for a million)",
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="delete the whole catalog first, without confirmation",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        products, skus_per_product = options["products"], options["skus_per_product"]
        if skus_per_product is None:
            skus_per_product = usual_skus_per_product(products)
        example = Example(products, skus_per_product)
        started = time.monotonic()
        try:
            connect()
            with step("The catalog could not be loaded and is unchanged", self.stderr):
                self.seed(example, options["replace"])
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. The catalog is unchanged.", returncode=130
            ) from None
        seconds = time.monotonic() - started
        self.stdout.write(f"  catalog    {in_short(example)} in {seconds:.1f} s")

    def seed(self, example: Example, replace: bool) -> None:
        try:
            with ProgressLine(self.stdout) as line:
                seed(example, replace=replace, on_progress=line.show)
        except CatalogNotEmpty as refusal:
            raise CommandError(
                f"The catalog has {in_words(count_rows())}, so nothing was loaded. Use "
                "--replace to delete them first."
            ) from refusal


def whole_number(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = minimum - 1
        if not minimum <= number <= maximum:
            raise argparse.ArgumentTypeError(
                f"{value} should be a whole number from {minimum} to {maximum:,}"
            )
        return number

    return parse


class ProgressLine:
    """Progress: one line, updated in place, on a terminal; otherwise a line per table."""

    def __init__(self, stream: OutputWrapper) -> None:
        self.stream = stream
        self.rewritten = stream.isatty()

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *error: object) -> None:
        if self.rewritten:
            # Carriage return and erase to the end of the line (ECMA-48).
            self.stream.write("\r\x1b[K", ending="")
            self.stream.flush()

    def show(self, what: str, done: int, total: int) -> None:
        if self.rewritten:
            line = f"\r\x1b[K  {what:10} {done:,} of {total:,}"
            self.stream.write(line, ending="")
        elif done == total:
            self.stream.write(f"  {what:10} {total:,}")
        self.stream.flush()
