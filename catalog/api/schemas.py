"""The models of what clients send and receive.

Requests are validated by them, and the OpenAPI document is generated from them.
"""

from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
)

from catalog.api.bodies import MAX_DIGITS
from catalog.api.validation_errors import at_least
from catalog.documents.ordering import DEFAULT_ORDER, ORDERS
from catalog.documents.row_id import MAX_ID, RowId
from catalog.models.folding import folded
from catalog.models.product import NAME_LENGTH
from catalog.reading.pagination import DEFAULT_LIMIT, MAX_LIMIT, MIN_SEARCH_LENGTH


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
    # Searches compare folded text: "ßa" has three characters then.
    if len(folded(q)) < MIN_SEARCH_LENGTH:
        raise ValueError(f"{at_least(MIN_SEARCH_LENGTH)}, after its case is folded")
    return q


SearchText = Annotated[
    str,
    Field(
        max_length=NAME_LENGTH,
        # JSON Schema cannot count characters after folding: this is right for ASCII.
        json_schema_extra={"pattern": r"^[^\u0000]*$", "minLength": MIN_SEARCH_LENGTH},
    ),
    AfterValidator(writable),
    AfterValidator(long_enough),
]


def known_order(order: str) -> str:
    if order not in ORDERS:
        *others, last = ORDERS
        raise ValueError(f"should be {', '.join(others)} or {last}")
    return order


OrderName = Annotated[
    str, Field(json_schema_extra={"enum": list(ORDERS)}), AfterValidator(known_order)
]


def whole(number: object) -> object:
    # JSON has one type of number, so 1.0 is 1; True is not a number.
    if isinstance(number, float) and number.is_integer():
        return int(number)
    return number


BrandId = Annotated[StrictInt, Field(ge=1, le=MAX_ID), BeforeValidator(whole)]


class Body(BaseModel):
    """The body of a request; its members are columns under the names that clients use."""

    COLUMNS: ClassVar = {
        "brand_name": "name",
        "product_name": "name",
        "brand_id": "brand_id",
    }

    def columns(self) -> dict[str, Any]:
        """The values that the client sent, by column."""
        sent = self.model_dump(exclude_unset=True)
        return {self.COLUMNS[member]: value for member, value in sent.items()}


class StrictBody(Body):
    """A body that refuses unknown members, which are most likely misspelt."""

    model_config = ConfigDict(extra="forbid")


class BrandIn(StrictBody):
    brand_name: Name = Field(examples=["Acme"])


class ProductIn(StrictBody):
    product_name: Name = Field(examples=["A hammer"])
    brand_id: BrandId = Field(examples=[1])


# The defaults below are never used. They make a member optional, and as factories they
# do not appear in the OpenAPI document.
class BrandChange(StrictBody):
    brand_name: Name = Field(default_factory=str, examples=["Acme"])


class ProductChange(StrictBody):
    product_name: Name = Field(default_factory=str, examples=["A hammer"])
    brand_id: BrandId = Field(default_factory=int, examples=[1])


def number_or_text(value: object) -> object:
    # Like the book's int(), except that True is not 1.
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value.strip()[:MAX_DIGITS])
    return value


class BookProductIn(Body):
    """The body of listing 9.4. Unknown members are ignored, as in the book."""

    product_name: Name = Field(examples=["A hammer"])
    brand_id: Annotated[BrandId, BeforeValidator(number_or_text)] = Field(examples=[1])


class BrandOut(BaseModel):
    brand_id: int = Field(examples=[1])
    brand_name: str = Field(examples=["Acme"])


class ProductOut(BaseModel):
    product_id: int = Field(examples=[1])
    product_name: str = Field(examples=["A hammer"])
    brand_id: int = Field(examples=[1])


class SkuOut(BaseModel):
    sku_id: int = Field(examples=[1])
    product_id: int = Field(examples=[1])
    product_size_id: int = Field(examples=[2])
    product_size_name: str = Field(examples=["Medium"])
    product_color_id: int = Field(examples=[1])
    product_color_name: str = Field(examples=["Blue"])


class PageQuery(BaseModel):
    limit: int = Field(
        DEFAULT_LIMIT,
        ge=1,
        description=f"The maximum number of products; values above {MAX_LIMIT} count as {MAX_LIMIT}.",
    )
    cursor: str | None = Field(
        None, description='From the URL of a Link with rel="next".'
    )
    order: OrderName = DEFAULT_ORDER
    q: SearchText | None = Field(
        None,
        description="Part of the name, ignoring case (Unicode case folding), such as hammer.",
    )


class ProductsQuery(PageQuery):
    brand_id: RowId | None = None


class FieldErrorOut(BaseModel):
    field: str = Field(examples=["brand_id"])
    value: str = Field(examples=["one"])
    message: str = Field(examples=["should be an integer"])


class ProblemOut(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Bad Request"])
    status: int = Field(examples=[400])
    detail: str = Field(examples=["brand_id: should be an integer."])
    errors: list[FieldErrorOut] = Field(default_factory=list)
