from django.contrib.postgres.indexes import GinIndex
from django.db import migrations
from django.db.models import Index, UniqueConstraint

from catalog.loading.adoption import AddUnlessViolated, AdvanceSequences
from catalog.models.product import Trigrams, not_blank

# Not pg_trgm: the extension may be unavailable or not permitted. Without DISTINCT, which
# would double the time: the index stores each trigram of a row once anyway.
TRIGRAMS = """
CREATE FUNCTION catalog_trigrams(text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(
    SELECT substr(lower($1), place, 3)
    FROM generate_series(1, length(lower($1)) - 2) AS place
)
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [
        AdvanceSequences(),
        migrations.RunSQL(TRIGRAMS, "DROP FUNCTION catalog_trigrams(text)"),
        migrations.AddIndex(
            "product", Index(fields=("brand", "id"), name="product_brand_id")
        ),
        migrations.AddIndex(
            "product", Index(fields=("name", "id"), name="product_name_id")
        ),
        migrations.AddIndex(
            "product", GinIndex(Trigrams("name"), name="product_name_trigrams")
        ),
        migrations.AddIndex(
            "sku", Index(fields=("product", "id"), name="sku_product_id")
        ),
        migrations.AddIndex("sku", Index(fields=("size",), name="sku_size")),
        migrations.AddIndex("sku", Index(fields=("color",), name="sku_color")),
        AddUnlessViolated("brand", not_blank("brand")),
        AddUnlessViolated("product", not_blank("product")),
        AddUnlessViolated("productcolor", not_blank("product_color")),
        AddUnlessViolated("productsize", not_blank("product_size")),
        AddUnlessViolated(
            "sku",
            UniqueConstraint(
                fields=("product", "size", "color"),
                name="sku_combination",
                violation_error_message="This product has a SKU of this size and colour.",
            ),
        ),
    ]
