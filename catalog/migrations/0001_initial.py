from django.db import migrations, models
from django.db.models.deletion import CASCADE, PROTECT

from catalog.loading.adoption import CreateIfMissing
from catalog.models.product import name_field


class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateIfMissing(
            name="Brand",
            fields=[
                (
                    "id",
                    models.AutoField(
                        db_column="brand_id", primary_key=True, serialize=False
                    ),
                ),
                ("name", name_field("brand_name", "brand")),
            ],
            options={"db_table": "brand", "ordering": ("id",)},
        ),
        CreateIfMissing(
            name="Product",
            fields=[
                (
                    "id",
                    models.AutoField(
                        db_column="product_id", primary_key=True, serialize=False
                    ),
                ),
                ("name", name_field("product_name", "product")),
                (
                    "brand",
                    models.ForeignKey(
                        db_column="brand_id",
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="products",
                        to="catalog.brand",
                    ),
                ),
            ],
            options={"db_table": "product", "ordering": ("id",)},
        ),
        CreateIfMissing(
            name="ProductColor",
            fields=[
                (
                    "id",
                    models.AutoField(
                        db_column="product_color_id", primary_key=True, serialize=False
                    ),
                ),
                ("name", name_field("product_color_name", "colour")),
            ],
            options={
                "db_table": "product_color",
                "ordering": ("id",),
                "verbose_name": "colour",
            },
        ),
        CreateIfMissing(
            name="ProductSize",
            fields=[
                (
                    "id",
                    models.AutoField(
                        db_column="product_size_id", primary_key=True, serialize=False
                    ),
                ),
                ("name", name_field("product_size_name", "size")),
            ],
            options={
                "db_table": "product_size",
                "ordering": ("id",),
                "verbose_name": "size",
            },
        ),
        CreateIfMissing(
            name="Sku",
            fields=[
                (
                    "id",
                    models.AutoField(
                        db_column="sku_id", primary_key=True, serialize=False
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        db_column="product_id",
                        db_index=False,
                        on_delete=CASCADE,
                        related_name="skus",
                        to="catalog.product",
                    ),
                ),
                (
                    "size",
                    models.ForeignKey(
                        db_column="product_size_id",
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="skus",
                        to="catalog.productsize",
                    ),
                ),
                (
                    "color",
                    models.ForeignKey(
                        db_column="product_color_id",
                        db_index=False,
                        on_delete=PROTECT,
                        related_name="skus",
                        to="catalog.productcolor",
                        verbose_name="colour",
                    ),
                ),
            ],
            options={
                "db_table": "sku",
                "ordering": ("id",),
                "verbose_name": "SKU",
            },
        ),
    ]
