"""How do rows leave the catalog in a file, and come back from one?

An import checks a whole file with a few queries and writes in batches; what is wrong
is said of its row, in a sentence. A row whose key is there changes that row, one with
a new key or none becomes a new row, and nothing is ever deleted.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.db.models import Model
from django.utils.html import escape, format_html
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import ModelResource
from import_export.results import Error, Result
from import_export.widgets import Widget

from catalog.models import Brand, Product, ProductColor, ProductSize, Sku
from catalog.models.product import COMBINATION_TAKEN
from catalog.writing.locks import bounded_locks, is_lock_timeout

# A page that shows more than these is of no use to anybody.
ROWS_SHOWN = 100
LARGEST_KEY = 2**31 - 1
# Above it are those that a table gives out once a file has brought this one.
LARGEST_NEW_KEY = 2_000_000_000
KEYS_A_QUERY = 10_000


def parse_key(value: Any) -> int | None:
    """A key from a cell, None from an empty one; ValueError with a sentence for others."""
    written = str(value if value is not None else "").strip()
    if not written:
        return None
    # A spreadsheet keeps every number as a fraction.
    whole = written.removesuffix(".0")
    if not (whole.isascii() and whole.isdigit()) or not (
        len(whole) <= 10 and 0 < int(whole) <= LARGEST_KEY
    ):
        raise ValueError(
            f"“{written[:50]}” is no key: that is a whole number from 1 to {LARGEST_KEY}."
        )
    return int(whole)


def keys_in(dataset: Any, column: str) -> list[int]:
    """The keys of a column, without the cells that hold none: they fail with their row."""
    if column not in (dataset.headers or ()):
        return []
    keys: set[int | None] = set()
    for value in dataset[column]:
        try:
            keys.add(parse_key(value))
        except ValueError:
            continue
    return sorted(key for key in keys if key)


def in_bulk(model: type[Model], keys: list[int]) -> dict[int, Any]:
    """The rows of these keys, in as few queries as PostgreSQL takes easily."""
    found: dict[int, Any] = {}
    for start in range(0, len(keys), KEYS_A_QUERY):
        found |= model._default_manager.in_bulk(keys[start : start + KEYS_A_QUERY])
    return found


class Key(Widget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | None:
        return parse_key(value)

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return "" if value is None else value


class Name(Widget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        name = str(value if value is not None else "")
        if "\0" in name:
            raise ValueError("A name cannot hold the character NUL.")
        return name


class Reference(Key):
    """A key of another table, which has to be there."""

    def __init__(self, model: type[Model]) -> None:
        super().__init__()
        self.model = model
        self.known: frozenset[int] = frozenset()

    def learn(self, keys: list[int]) -> None:
        self.known = frozenset(in_bulk(self.model, keys))

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int:
        key = super().clean(value)
        what = self.model._meta.verbose_name
        if key is None:
            raise ValueError(f"The {what}'s key is missing.")
        if key not in self.known:
            raise ValueError(f"There is no {what} {key}.")
        return key


class RowsByKey(BaseInstanceLoader):
    """Finds the row that a line of the file is about; all are fetched beforehand."""

    def __init__(self, resource: Any, dataset: Any = None) -> None:
        super().__init__(resource, dataset)
        self.column = resource.fields["id"].column_name
        self.rows = in_bulk(
            resource.get_queryset().model, keys_in(dataset, self.column)
        )
        self.seen: set[int] = set()

    def get_instance(self, row: Any) -> Any:
        try:
            key = parse_key(row[self.column])
            if key in self.seen:
                raise ValueError(f"An earlier row has the key {key} too.")
        except ValueError as error:
            raise ValidationError({self.column: str(error)}) from error
        if key is None:
            return None
        self.seen.add(key)
        return self.rows.get(key)


class Changes:
    """The cells of a row before and after the import, in place of the library's Diff.

    The library's own marks changes by style attributes, which the site's
    Content-Security-Policy forbids.
    """

    def __init__(self, resource: "CatalogResource", instance: Any, new: bool) -> None:
        self.is_new = new
        self.before = resource.cells(instance)
        self.after = self.before

    def compare_with(self, resource: "CatalogResource", instance: Any) -> None:
        self.after = resource.cells(instance)

    def as_html(self) -> list[str]:
        return [
            escape(after)
            if self.is_new or before == after
            else format_html("<del>{}</del> <ins>{}</ins>", before, after)
            for before, after in zip(self.before, self.after, strict=True)
        ]


class Outcome(Result):
    """What became of a file's rows; of a mere preview, no more than is shown."""

    def append_row_result(self, row_result: Any) -> None:
        if (
            row_result.instance is not None
            or row_result.errors
            or len(self.rows) < ROWS_SHOWN
        ):
            super().append_row_result(row_result)

    # Of the file: of its header, and of each row after it.
    row_numbers: Sequence[int] = ()

    @property
    def problems(self) -> list[tuple[int, list[str]]]:
        """Rows by their numbers in the file, and what is wrong with each."""
        found = {row.number: row.errors for row in self.error_rows}
        sentences = {
            number: [str(error.error) for error in errors]
            for number, errors in found.items()
        }
        for row in self.invalid_rows:
            sentences[row.number] = [
                message if column == "__all__" else f"{column}: {message}"
                for column, messages in row.error_dict.items()
                for message in messages
            ]
        return [
            (self.row_numbers[number], sentences[number])
            for number in sorted(sentences)
        ]

    @property
    def shown_problems(self) -> list[tuple[int, list[str]]]:
        return self.problems[:ROWS_SHOWN]


class CatalogResource(ModelResource):
    is_preview = False
    preview_key = 0

    @classmethod
    def get_result_class(cls) -> type[Outcome]:
        return Outcome

    @classmethod
    def get_diff_class(cls) -> type[Changes]:
        return Changes

    def cells(self, instance: Any) -> list[Any]:
        return [field.export(instance) for field in self.get_import_fields()]

    def import_data(
        self, dataset: Any, dry_run: bool = False, *args: Any, **kwargs: Any
    ) -> Any:
        """Also for a look at what a file would do: it is done, and taken back."""
        problem = self.unknown_column(dataset.headers or ())
        if problem is not None:
            result = self.get_result_class()()
            result.append_base_error(Error(ValueError(problem)))
            return result
        self.is_preview = dry_run
        with bounded_locks():
            result = super().import_data(dataset, dry_run, *args, **kwargs)
        result.row_numbers = dataset.row_numbers
        return result

    def unknown_column(self, headers: Iterable[str]) -> str | None:
        """Said of the file as a whole: its rows would only be wrong for want of it."""
        columns = [field.column_name for field in self.get_import_fields()]
        for header in headers:
            if header not in columns:
                return (
                    f"“{header[:50]}” is no column of this file: those are"
                    f" {', '.join(columns)}."
                )
        return None

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        for field in self.get_import_fields():
            if isinstance(field.widget, Reference):
                field.widget.learn(keys_in(dataset, field.column_name))
        if not self.is_preview:
            self.step_over(keys_in(dataset, self.fields["id"].column_name))

    def step_over(self, keys: list[int]) -> None:
        """Lets the table give out no key that the file brings.

        A sequence does not go back with its transaction, so a preview leaves it alone.
        """
        brought = max((key for key in keys if key <= LARGEST_NEW_KEY), default=None)
        if brought:
            meta = self.get_queryset().model._meta
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT setval(sequence, greatest(nextval(sequence), %s))"
                    " FROM pg_get_serial_sequence(%s, %s) AS sequence",
                    [brought, meta.db_table, meta.pk.column],
                )

    def skip_row(
        self,
        instance: Any,
        original: Any,
        row: Any,
        import_validation_errors: Any = None,
    ) -> bool:
        # A new row that is empty is a mistake, not a row without a change.
        return not instance._state.adding and bool(
            super().skip_row(instance, original, row, import_validation_errors)
        )

    def validate_instance(
        self,
        instance: Any,
        import_validation_errors: Any = None,
        validate_unique: bool = True,
    ) -> None:
        """Checks what the file said of a row; its references are checked already."""
        errors = dict(import_validation_errors or {})
        if instance._state.adding and (instance.id or 0) > LARGEST_NEW_KEY:
            errors["id"] = ValidationError(
                f"A new row's key is at most {LARGEST_NEW_KEY}, or empty."
            )
        for field in self.get_import_fields():
            if isinstance(field.widget, Name) and field.attribute not in errors:
                try:
                    model_field = instance._meta.get_field(field.attribute)
                    model_field.clean(field.get_value(instance), instance)
                except ValidationError as error:
                    errors[field.attribute] = error
            elif isinstance(field.widget, Reference):
                if field.get_value(instance) is None:
                    errors.setdefault(
                        field.attribute, ValidationError("This column is missing.")
                    )
        if errors:
            columns = {f.attribute: f.column_name for f in self.get_import_fields()}
            raise ValidationError(
                {columns[attribute]: error for attribute, error in errors.items()}
            )

    def handle_import_error(
        self, result: Any, error: Exception, raise_errors: bool = False
    ) -> None:
        if is_lock_timeout(error):
            # Of no row, and not for the library to collect.
            raise error
        if isinstance(error, IntegrityError):
            reason = str(error).strip().splitlines()[-1]
            error = ValueError(f"The database refused the rows together: {reason}")
        super().handle_import_error(result, error, raise_errors)

    def after_import_row(self, row: Any, row_result: Any, **kwargs: Any) -> None:
        if not kwargs["dry_run"]:
            return
        if row_result.instance.id is None:
            # A key that no table gives out: the sequence would not be rolled back.
            self.preview_key -= 1
            row_result.instance.id = self.preview_key
        row_result.instance = row_result.original = None

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        """Nothing: the library would set the table's sequence to its largest key, which
        may be below what other transactions have been given meanwhile."""

    def bulk_create(
        self,
        using_transactions: bool,
        dry_run: bool,
        raise_errors: bool,
        batch_size: int | None = None,
        result: Any = None,
    ) -> None:
        # First the changes: they may free a combination that a new row has.
        self.bulk_update(using_transactions, dry_run, raise_errors, batch_size, result)
        super().bulk_create(
            using_transactions, dry_run, raise_errors, batch_size, result
        )

    class Meta:
        # A list, by which the library knows that a file may do without.
        import_id_fields = ["id"]
        instance_loader_class = RowsByKey
        store_instance = True
        use_bulk = True
        skip_unchanged = True
        report_skipped = False


class BrandResource(CatalogResource):
    id = Field("id", "brand_id", Key())
    name = Field("name", "brand_name", Name())

    class Meta:
        model = Brand


class ProductResource(CatalogResource):
    id = Field("id", "product_id", Key())
    name = Field("name", "product_name", Name())
    brand = Field("brand_id", "brand_id", Reference(Brand))

    class Meta:
        model = Product
        fields = ("id", "name", "brand")


class ProductColorResource(CatalogResource):
    id = Field("id", "product_color_id", Key())
    name = Field("name", "product_color_name", Name())

    class Meta:
        model = ProductColor


class ProductSizeResource(CatalogResource):
    id = Field("id", "product_size_id", Key())
    name = Field("name", "product_size_name", Name())

    class Meta:
        model = ProductSize


class SkuResource(CatalogResource):
    id = Field("id", "sku_id", Key())
    product = Field("product_id", "product_id", Reference(Product))
    size = Field("size_id", "product_size_id", Reference(ProductSize))
    color = Field("color_id", "product_color_id", Reference(ProductColor))

    class Meta:
        model = Sku
        fields = ("id", "product", "size", "color")

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        """Learns which combinations the file's products have already."""
        super().before_import(dataset, **kwargs)
        # Who has a combination: a key, or None for a row of this file that has none yet.
        self.taken: dict[tuple[int, int, int], int | None] = {}
        self.held: dict[int, tuple[int, int, int]] = {}
        keys = keys_in(dataset, "product_id")
        for start in range(0, len(keys), KEYS_A_QUERY):
            for key, *combination in Sku.objects.filter(
                product__in=keys[start : start + KEYS_A_QUERY]
            ).values_list("id", "product_id", "size_id", "color_id"):
                self.taken[tuple(combination)] = key  # type: ignore[index]
                self.held[key] = tuple(combination)  # type: ignore[assignment]

    def validate_instance(
        self,
        instance: Any,
        import_validation_errors: Any = None,
        validate_unique: bool = True,
    ) -> None:
        super().validate_instance(instance, import_validation_errors, validate_unique)
        combination = (instance.product_id, instance.size_id, instance.color_id)
        if combination in self.taken and self.held.get(instance.id) != combination:
            owner = self.taken[combination]
            raise ValidationError(
                f"{COMBINATION_TAKEN} It is "
                + (f"SKU {owner}." if owner else "in an earlier row.")
            )
        if instance.id in self.held:
            self.taken.pop(self.held[instance.id], None)
            self.held[instance.id] = combination
        self.taken[combination] = instance.id


RESOURCES: dict[type[Model], type[CatalogResource]] = {
    Brand: BrandResource,
    Product: ProductResource,
    ProductColor: ProductColorResource,
    ProductSize: ProductSizeResource,
    Sku: SkuResource,
}
