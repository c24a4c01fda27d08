from django.db import migrations

# UNLOGGED: written every few seconds, and worth nothing after ten or a crash. A row is
# updated in place again and again, which half-empty pages make cheap, as it has no index
# but its key.
TABLE = """
CREATE UNLOGGED TABLE online_lease (
    worker uuid PRIMARY KEY,
    machine text NOT NULL,
    pid integer NOT NULL,
    started bigint NOT NULL,
    connections integer NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50)
"""


class Migration(migrations.Migration):
    """The table of async_api/online/lease_table.py, which no model stands for."""

    operations = [migrations.RunSQL(TABLE, "DROP TABLE online_lease")]
