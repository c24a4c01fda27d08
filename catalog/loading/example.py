"""The example data: the book's brands, products and SKUs, in any number.

Listings 5.2 to 5.6 have 100 brands, 1,000 products with names of ten words, 100,000 random
SKUs, two colours and three sizes. Here a product has at most one SKU of each colour and
size, so there are ten of each, starting with the book's. The same options always produce
the same rows.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.loading.words import WORDS

SEED = 5  # arbitrary: the number of the chapter
BRANDS = 100
WORDS_IN_A_NAME = 10
COLORS = (
    *("Blue", "Black", "White", "Red", "Green"),
    *("Yellow", "Grey", "Brown", "Orange", "Purple"),
)
SIZES = (
    *("Small", "Medium", "Large", "Extra small", "Extra large"),
    *("Petite", "Tall", "Wide", "Child", "One size"),
)
COMBINATIONS = len(COLORS) * len(SIZES)
# Coprime to COMBINATIONS, so that its multiples reach each combination once.
STRIDE = 37

BOOKS_PRODUCTS = 1000
BOOKS_SKUS = 100_000
MIN_SKUS_PER_PRODUCT = 5


def usual_skus_per_product(products: int) -> int:
    """As many as make 100,000 SKUs, but at least 5 and at most one per combination."""
    return max(MIN_SKUS_PER_PRODUCT, min(BOOKS_SKUS // products, COMBINATIONS))


@dataclass(frozen=True, slots=True)
class Example:
    products: int = BOOKS_PRODUCTS
    skus_per_product: int = BOOKS_SKUS // BOOKS_PRODUCTS  # at most COMBINATIONS

    @property
    def skus(self) -> int:
        return self.products * self.skus_per_product


def numbered(names: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Rows of (id, name), from 1."""
    return enumerate(names, start=1)


def brand_names() -> tuple[str, ...]:
    """Names of two words. They are distinct, because no word is used twice."""
    words = random.Random(SEED).sample(WORDS, 2 * BRANDS)
    pairs = zip(words[:BRANDS], words[BRANDS:], strict=True)
    return tuple(f"{first} {second}".title() for first, second in pairs)


def products(example: Example) -> Iterator[tuple[int, str, int]]:
    """Rows of (id, name, brand's id)."""
    chance = random.Random(SEED)
    for number in range(1, example.products + 1):
        words = chance.choices(WORDS, k=WORDS_IN_A_NAME)
        yield number, " ".join(words).capitalize(), chance.randint(1, BRANDS)


def skus(example: Example) -> Iterator[tuple[int, int, int, int]]:
    """Rows of (id, product's id, size's id, colour's id), product by product."""
    number = 0
    for product in range(1, example.products + 1):
        for turn in range(example.skus_per_product):
            number += 1
            size, color = divmod((product + turn * STRIDE) % COMBINATIONS, len(COLORS))
            yield number, product, size + 1, color + 1
