"""Brands, products and SKUs, with the tables and columns of chapter 5 of the book.

A database created by the book's statements can be adopted: see
catalog/loading/adoption.py.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models import (
    CheckConstraint,
    Func,
    Index,
    Q,
    TextField,
    UniqueConstraint,
)

from catalog.models.folding import NAME as FOLDED

# Besides Django's own, the permissions to import and export files in the admin.
PERMISSIONS = ("add", "change", "delete", "view", "import", "export")
COMBINATION_TAKEN = "This product has a SKU of this size and colour."
NAME_LENGTH = 500  # characters: the limit is the size of an index entry of PostgreSQL
BLANK = r"^\s*$"


class Folded(Func):
    """The folded text that searches compare: see catalog/models/folding.py."""

    function = FOLDED
    output_field = TextField()


class Trigrams(Func):
    """All sequences of three characters of the folded text, by which `q` searches.

    The function is created by a migration, so that no extension is needed.
    """

    function = "catalog_trigrams"
    output_field = ArrayField(TextField())


def name_field(column: str, what: str) -> "TextField[str, str]":
    return TextField(
        "name",
        db_column=column,
        help_text=f"The name of the {what}, up to {NAME_LENGTH} characters.",
        validators=[
            MaxLengthValidator(NAME_LENGTH),
            RegexValidator(BLANK, "A name cannot be blank.", inverse_match=True),
        ],
    )


def not_blank(table: str) -> CheckConstraint:
    return CheckConstraint(
        name=f"{table}_name_not_blank",
        condition=~Q(name__regex=BLANK),
        violation_error_message="A name cannot be blank.",
    )


class Brand(models.Model):
    id = models.AutoField(primary_key=True, db_column="brand_id")
    name = name_field("brand_name", "brand")

    class Meta:
        db_table = "brand"
        ordering = ("id",)
        default_permissions = PERMISSIONS
        constraints = (not_blank("brand"),)

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    id = models.AutoField(primary_key=True, db_column="product_id")
    name = name_field("product_name", "product")
    brand = models.ForeignKey(
        Brand,
        models.PROTECT,
        related_name="products",
        db_column="brand_id",
        # The index on (brand, id) below serves it.
        db_index=False,
    )

    class Meta:
        db_table = "product"
        ordering = ("id",)
        default_permissions = PERMISSIONS
        constraints = (not_blank("product"),)
        indexes = (
            Index(fields=("brand", "id"), name="product_brand_id"),
            Index(fields=("name", "id"), name="product_name_id"),
            GinIndex(Trigrams("name"), name="product_name_trigrams"),
        )

    def __str__(self) -> str:
        return self.name


class ProductColor(models.Model):
    id = models.AutoField(primary_key=True, db_column="product_color_id")
    name = name_field("product_color_name", "colour")

    class Meta:
        db_table = "product_color"
        ordering = ("id",)
        default_permissions = PERMISSIONS
        constraints = (not_blank("product_color"),)
        verbose_name = "colour"

    def __str__(self) -> str:
        return self.name


class ProductSize(models.Model):
    id = models.AutoField(primary_key=True, db_column="product_size_id")
    name = name_field("product_size_name", "size")

    class Meta:
        db_table = "product_size"
        ordering = ("id",)
        default_permissions = PERMISSIONS
        constraints = (not_blank("product_size"),)
        verbose_name = "size"

    def __str__(self) -> str:
        return self.name


class Sku(models.Model):
    """A stock keeping unit: a product in one size and colour."""

    id = models.AutoField(primary_key=True, db_column="sku_id")
    product = models.ForeignKey(
        Product,
        models.CASCADE,
        related_name="skus",
        db_column="product_id",
        # The index on (product, id) below serves it. The unique constraint may be
        # missing in an adopted database.
        db_index=False,
    )
    size = models.ForeignKey(
        ProductSize,
        models.PROTECT,
        related_name="skus",
        db_column="product_size_id",
        db_index=False,
    )
    color = models.ForeignKey(
        ProductColor,
        models.PROTECT,
        verbose_name="colour",
        related_name="skus",
        db_column="product_color_id",
        db_index=False,
    )

    class Meta:
        db_table = "sku"
        ordering = ("id",)
        default_permissions = PERMISSIONS
        verbose_name = "SKU"
        constraints = (
            UniqueConstraint(
                fields=("product", "size", "color"),
                name="sku_combination",
                violation_error_message=COMBINATION_TAKEN,
            ),
        )
        indexes = (
            Index(fields=("product", "id"), name="sku_product_id"),
            Index(fields=("size",), name="sku_size"),
            Index(fields=("color",), name="sku_color"),
        )

    def __str__(self) -> str:
        return f"{self.product_id}/{self.size_id}/{self.color_id}"
