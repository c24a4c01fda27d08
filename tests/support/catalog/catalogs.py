"""Fills the catalog with as many rows as the book has."""

from django.db import connection

# 100 brands, 1,000 products, 10 sizes, 10 colours: each product in all of them.
LARGE = """
INSERT INTO brand (brand_name) SELECT 'Brand ' || n FROM generate_series(1, 100) n;
INSERT INTO product_size (product_size_name)
SELECT 'Size ' || n FROM generate_series(1, 10) n;
INSERT INTO product_color (product_color_name)
SELECT 'Colour ' || n FROM generate_series(1, 10) n;
INSERT INTO product (product_name, brand_id)
SELECT 'A product of many words ' || brand_id || '-' || n, brand_id
FROM brand, generate_series(1, 10) n;
INSERT INTO sku (product_id, product_size_id, product_color_id)
SELECT product_id, product_size_id, product_color_id
FROM product, product_size, product_color;
SET CONSTRAINTS ALL IMMEDIATE;
ANALYZE brand, product, sku;
"""


def fill() -> None:
    with connection.cursor() as cursor:
        cursor.execute(LARGE)
