"""What are the example data? The book's brands, products and SKUs, as many as asked for.

Listings 5.2 to 5.6 have 100 brands, 1,000 products with names of ten words, 100,000 SKUs
at random, two colours and three sizes. Here a product has one SKU of a colour and size,
so that there are ten of each, the book's first. The same question has the same answer.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.loading.words import WORDS

SEED = 5  # any number: the chapter
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
# Shares no factor with COMBINATIONS, so that its multiples meet each of them once.
STRIDE = 37

BOOKS_PRODUCTS = 1000
BOOKS_SKUS = 100_000
FEWEST_SKUS_OF_A_PRODUCT = 5


def usual_skus_per_product(products: int) -> int:
    """As many as make the book's number, but 5 at least and every combination at most."""
    return max(FEWEST_SKUS_OF_A_PRODUCT, min(BOOKS_SKUS // products, COMBINATIONS))


@dataclass(frozen=True, slots=True)
class Example:
    products: int = BOOKS_PRODUCTS
    skus_per_product: int = BOOKS_SKUS // BOOKS_PRODUCTS  # COMBINATIONS at most

    @property
    def skus(self) -> int:
        return self.products * self.skus_per_product


def numbered(names: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Rows of (id, name), from 1."""
    return enumerate(names, start=1)


def brand_names() -> tuple[str, ...]:
    """Two words each, and no two the same, for no word comes twice."""
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
