from django.db import migrations

# Rate limits are counted in memory now; of their table, logins keep what is theirs.
FORWARDS = """
DELETE FROM rate_limit_count WHERE worker <> '00000000-0000-0000-0000-000000000000';
ALTER TABLE rate_limit_count RENAME TO login_count;
ALTER TABLE login_count DROP CONSTRAINT rate_limit_count_pkey;
ALTER TABLE login_count DROP COLUMN worker;
ALTER TABLE login_count ADD CONSTRAINT login_count_pkey
    PRIMARY KEY (ends, policy, subject);
"""
BACKWARDS = """
ALTER TABLE login_count ADD COLUMN worker uuid NOT NULL
    DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE login_count ALTER COLUMN worker DROP DEFAULT;
ALTER TABLE login_count DROP CONSTRAINT login_count_pkey;
ALTER TABLE login_count RENAME TO rate_limit_count;
ALTER TABLE rate_limit_count ADD CONSTRAINT rate_limit_count_pkey
    PRIMARY KEY (ends, policy, subject, worker);
"""


class Migration(migrations.Migration):
    """The table of async_views/runtime/views/logins.py, which has no model."""

    dependencies = [("async_views", "0001_rate_limit_counts")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
