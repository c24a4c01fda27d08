from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

from catalog.models.folding import create_function
from catalog.models.product import Trigrams

# OFFSET 0 keeps the planner from folding the text again for each trigram.
TRIGRAMS = """
CREATE OR REPLACE FUNCTION catalog_trigrams(text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(
    SELECT substr(folded, place, 3)
    FROM (SELECT catalog_folded($1) AS folded OFFSET 0) AS name,
        generate_series(1, length(folded) - 2) AS place
)
"""
TRIGRAMS_BEFORE = """
CREATE OR REPLACE FUNCTION catalog_trigrams(text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(
    SELECT substr(lower($1), place, 3)
    FROM generate_series(1, length(lower($1)) - 2) AS place
)
"""


def create_folding(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        create_function(cursor)
        cursor.execute(TRIGRAMS)


def drop_folding(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(TRIGRAMS_BEFORE)
        cursor.execute("DROP FUNCTION catalog_folded(text)")


class Migration(migrations.Migration):
    dependencies = [("catalog", "0004_tokens_and_remembered_answers")]

    operations = [
        # An index keeps the results of the previous function, so it is created again.
        migrations.RemoveIndex("product", "product_name_trigrams"),
        migrations.RunPython(create_folding, drop_folding),
        migrations.AddIndex(
            "product", GinIndex(Trigrams("name"), name="product_name_trigrams")
        ),
    ]
