"""The rows of a file: how they are exported, checked and imported.

An import checks the whole file with a few queries and writes in batches. Each error names
its row. A row whose ID exists updates that row; a row with a new ID, or without one, is
added. Nothing is deleted.
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

# In a preview; a longer page would not be useful.
ROWS_SHOWN = 100
MAX_KEY = 2**31 - 1
# The keys above it remain for the sequence after a file has used this one.
MAX_NEW_KEY = 2_000_000_000
KEYS_A_QUERY = 10_000


def parse_key(value: Any) -> int | None:
    """The key in a cell; None for an empty cell. Raises ValueError with a message."""
    written = str(value if value is not None else "").strip()
    if not written:
        return None
    # Some programs write whole numbers as decimal fractions.
    whole = written.removesuffix(".0")
    if not (whole.isascii() and whole.isdigit()) or not (
        len(whole) <= 10 and 0 < int(whole) <= MAX_KEY
    ):
        raise ValueError(
            f"“{written[:50]}” is not a valid ID: it should be a whole number from 1 to"
            f" {MAX_KEY}."
        )
    return int(whole)


def keys_in(dataset: Any, column: str) -> list[int]:
    """The keys in a column. Invalid cells are left out: they fail with their row."""
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
    """The rows with these keys, fetched in a few queries of bounded size."""
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
            raise ValueError("A name cannot contain the character NUL.")
        return name


class Reference(Key):
    """The key of a row of another table, which has to exist."""

    def __init__(self, model: type[Model]) -> None:
        super().__init__()
        self.model = model
        self.existing: frozenset[int] = frozenset()

    def load(self, keys: list[int]) -> None:
        self.existing = frozenset(in_bulk(self.model, keys))

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int:
        key = super().clean(value)
        what = self.model._meta.verbose_name
        if key is None:
            raise ValueError(f"The ID of the {what} is missing.")
        if key not in self.existing:
            raise ValueError(f"There is no {what} {key}.")
        return key


class RowsByKey(BaseInstanceLoader):
    """Finds the row that a line of the file updates; all rows are fetched beforehand."""

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
                raise ValueError(f"An earlier row has the ID {key}, too.")
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
    """The results of a file's rows; of a preview, only as many as are shown."""

    def append_row_result(self, row_result: Any) -> None:
        if (
            row_result.instance is not None
            or row_result.errors
            or len(self.rows) < ROWS_SHOWN
        ):
            super().append_row_result(row_result)

    # The numbers in the file of the header and of each row after it.
    row_numbers: Sequence[int] = ()

    @property
    def problems(self) -> list[tuple[int, list[str]]]:
        """The number in the file of each row with errors, and its messages."""
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
        """Imports the file. A preview (``dry_run``) does the same and is rolled back."""
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
        """The error for a header that is not a column; it replaces errors of the rows."""
        columns = [field.column_name for field in self.get_import_fields()]
        for header in headers:
            if header not in columns:
                return (
                    f"“{header[:50]}” is not a valid column. The columns are"
                    f" {', '.join(columns)}."
                )
        return None

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        for field in self.get_import_fields():
            if isinstance(field.widget, Reference):
                field.widget.load(keys_in(dataset, field.column_name))
        if not self.is_preview:
            self.advance_sequence_beyond(
                keys_in(dataset, self.fields["id"].column_name)
            )

    def advance_sequence_beyond(self, keys: list[int]) -> None:
        """Advances the sequence beyond the keys of the file.

        A sequence is not rolled back with its transaction, so a preview does not do it.
        """
        largest = max((key for key in keys if key <= MAX_NEW_KEY), default=None)
        if largest:
            meta = self.get_queryset().model._meta
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT setval(sequence, greatest(nextval(sequence), %s))"
                    " FROM pg_get_serial_sequence(%s, %s) AS sequence",
                    [largest, meta.db_table, meta.pk.column],
                )

    def skip_row(
        self,
        instance: Any,
        original: Any,
        row: Any,
        import_validation_errors: Any = None,
    ) -> bool:
        # A new row without a name is an error, not an unchanged row.
        return not instance._state.adding and bool(
            super().skip_row(instance, original, row, import_validation_errors)
        )

    def validate_instance(
        self,
        instance: Any,
        import_validation_errors: Any = None,
        validate_unique: bool = True,
    ) -> None:
        """Checks the columns of the file; its references were checked before."""
        errors = dict(import_validation_errors or {})
        if instance._state.adding and (instance.id or 0) > MAX_NEW_KEY:
            errors["id"] = ValidationError(
                f"The ID of a new row should be at most {MAX_NEW_KEY}, or empty."
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
            # It is not an error of the file: the library must not collect it.
            raise error
        if isinstance(error, IntegrityError):
            reason = str(error).strip().splitlines()[-1]
            error = ValueError(f"The database rejected the rows: {reason}")
        super().handle_import_error(result, error, raise_errors)

    def after_import_row(self, row: Any, row_result: Any, **kwargs: Any) -> None:
        if not kwargs["dry_run"]:
            return
        if row_result.instance.id is None:
            # A key from outside the sequence, which would not be rolled back.
            self.preview_key -= 1
            row_result.instance.id = self.preview_key
        row_result.instance = row_result.original = None

    def after_import(self, dataset: Any, result: Any, **kwargs: Any) -> None:
        """Does nothing. The library would set the sequence to the largest key in the
        table, which may be lower than keys that other transactions have just got."""

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
        # With a list, the library accepts a file without this column.
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
        """Reads the combinations that the products in the file already have."""
        super().before_import(dataset, **kwargs)
        # The SKU with each combination; None for a new row of the file without an ID.
        self.owners: dict[tuple[int, int, int], int | None] = {}
        self.combinations: dict[int, tuple[int, int, int]] = {}
        keys = keys_in(dataset, "product_id")
        for start in range(0, len(keys), KEYS_A_QUERY):
            for key, *combination in Sku.objects.filter(
                product__in=keys[start : start + KEYS_A_QUERY]
            ).values_list("id", "product_id", "size_id", "color_id"):
                self.owners[tuple(combination)] = key  # type: ignore[index]
                self.combinations[key] = tuple(combination)  # type: ignore[assignment]

    def validate_instance(
        self,
        instance: Any,
        import_validation_errors: Any = None,
        validate_unique: bool = True,
    ) -> None:
        super().validate_instance(instance, import_validation_errors, validate_unique)
        combination = (instance.product_id, instance.size_id, instance.color_id)
        if (
            combination in self.owners
            and self.combinations.get(instance.id) != combination
        ):
            owner = self.owners[combination]
            raise ValidationError(
                f"{COMBINATION_TAKEN} It is "
                + (f"SKU {owner}." if owner else "in an earlier row.")
            )
        if instance.id in self.combinations:
            self.owners.pop(self.combinations[instance.id], None)
            self.combinations[instance.id] = combination
        self.owners[combination] = instance.id


RESOURCES: dict[type[Model], type[CatalogResource]] = {
    Brand: BrandResource,
    Product: ProductResource,
    ProductColor: ProductColorResource,
    ProductSize: ProductSizeResource,
    Sku: SkuResource,
}
