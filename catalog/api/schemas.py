"""What may clients send, and what do they get?"""

from typing import Annotated, Literal

from ninja import Schema
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictInt

from catalog.api.bodies import MOST_DIGITS
from catalog.api.mistakes import at_least
from catalog.documents.identity import LARGEST, Identity
from catalog.models.folding import folded
from catalog.models.product import NAME_LENGTH
from catalog.reading.pagination import (
    FIRST_ORDER,
    LEAST_SEARCHED,
    MOST_ROWS,
    USUAL_ROWS,
)

Order = Literal["product_id", "-product_id", "product_name", "-product_name"]


def writable(text: str) -> str:
    if "\0" in text:
        raise ValueError("should not have a NUL character in it")
    return text


def not_blank(name: str) -> str:
    if not name.strip():
        raise ValueError("should not be blank")
    return name


Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=NAME_LENGTH,
        json_schema_extra={"pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"},
    ),
    AfterValidator(writable),
    AfterValidator(not_blank),
]


def long_enough(q: str) -> str:
    # As it is looked for: "ßa" is three characters then, and an accent may be none.
    if len(folded(q)) < LEAST_SEARCHED:
        raise ValueError(f"{at_least(LEAST_SEARCHED)}, after its case is folded")
    return q


Searched = Annotated[
    str,
    Field(
        max_length=NAME_LENGTH,
        # No keyword of JSON Schema counts characters after folding: this is for ASCII.
        json_schema_extra={"pattern": r"^[^\u0000]*$", "minLength": LEAST_SEARCHED},
    ),
    AfterValidator(writable),
    AfterValidator(long_enough),
]


def whole(number: object) -> object:
    # JSON has one kind of number: 1.0 is 1, and True is neither.
    if isinstance(number, float) and number.is_integer():
        return int(number)
    return number


BrandNumber = Annotated[StrictInt, Field(ge=1, le=LARGEST), BeforeValidator(whole)]


class Written(Schema):
    """A body: what is not known in it is a mistake that its sender wants to hear of."""

    model_config = ConfigDict(extra="forbid")


class BrandIn(Written):
    brand_name: Name = Field(examples=["Acme"])


class ProductIn(Written):
    product_name: Name = Field(examples=["A hammer"])
    brand_id: BrandNumber = Field(examples=[1])


# Of what a change leaves as it is nobody looks at the default: it only says that the
# member may be missing, and a factory's is in no description.
class BrandChange(Written):
    brand_name: Name = Field(default_factory=str, examples=["Acme"])


class ProductChange(Written):
    product_name: Name = Field(default_factory=str, examples=["A hammer"])
    brand_id: BrandNumber = Field(default_factory=int, examples=[1])


def number_or_text(value: object) -> object:
    # As the book's int() takes it; but True is not 1 here.
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value.strip()[:MOST_DIGITS])
    return value


class BookProductIn(Schema):
    """The body of listing 9.4; members that it does not know it never looked at."""

    product_name: Name = Field(examples=["A hammer"])
    brand_id: Annotated[BrandNumber, BeforeValidator(number_or_text)] = Field(
        examples=[1]
    )


class BrandOut(Schema):
    brand_id: int = Field(examples=[1])
    brand_name: str = Field(examples=["Acme"])


class ProductOut(Schema):
    product_id: int = Field(examples=[1])
    product_name: str = Field(examples=["A hammer"])
    brand_id: int = Field(examples=[1])


class SkuOut(Schema):
    sku_id: int = Field(examples=[1])
    product_id: int = Field(examples=[1])
    product_size_id: int = Field(examples=[2])
    product_size_name: str = Field(examples=["Medium"])
    product_color_id: int = Field(examples=[1])
    product_color_name: str = Field(examples=["Blue"])


class PageQuery(Schema):
    limit: int = Field(
        USUAL_ROWS,
        ge=1,
        description=f"How many at most; above {MOST_ROWS} it is {MOST_ROWS}.",
    )
    cursor: str | None = Field(
        None, description='From the address of a Link with rel="next".'
    )
    order: Order = FIRST_ORDER  # type: ignore[assignment]
    q: Searched | None = Field(
        None,
        description="Part of the name, in upper or lower case as Unicode folds it, such as hammer.",
    )


class ProductsQuery(PageQuery):
    brand_id: Identity | None = None


class FieldErrorOut(Schema):
    field: str = Field(examples=["brand_id"])
    value: str = Field(examples=["one"])
    message: str = Field(examples=["should be an integer"])


class ProblemOut(Schema):
    """RFC 9457 problem details."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Bad Request"])
    status: int = Field(examples=[400])
    detail: str = Field(examples=["brand_id: should be an integer."])
    errors: list[FieldErrorOut] = Field(default_factory=list)
