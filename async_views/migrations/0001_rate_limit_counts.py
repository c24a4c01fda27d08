from django.db import migrations

# UNLOGGED: written each second, and worth nothing after a minute or a crash. The rows
# are updated far more often than made, which half-empty pages make cheap.
TABLE = """
CREATE UNLOGGED TABLE rate_limit_count (
    ends timestamptz,
    policy text,
    subject text,
    worker uuid,
    count integer NOT NULL,
    PRIMARY KEY (ends, policy, subject, worker)
) WITH (fillfactor = 50)
"""


class Migration(migrations.Migration):
    """A table without a model; 0002_login_counts renames it."""

    operations = [migrations.RunSQL(TABLE, "DROP TABLE rate_limit_count")]
