"""A paginator that never counts all rows of a large table."""

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import QuerySet
from django.utils.functional import cached_property

if TYPE_CHECKING:
    RowPaginator = Paginator[Any]
else:
    RowPaginator = Paginator

# Counting this number of index entries takes about a millisecond.
COUNTED = 10_000

# The planner's estimate: rows per page when the table was last analysed, times its
# current number of pages. reltuples is -1 before the first analysis.
ESTIMATE = """
SELECT greatest(reltuples, 0) / greatest(relpages, 1)
    * (pg_relation_size(oid) / current_setting('block_size')::int)
FROM pg_class WHERE oid = %s::regclass
"""


def count_up_to(queryset: "QuerySet[Any]", most: int = COUNTED) -> int:
    """The number of rows, at most ``most``."""
    return queryset.order_by()[:most].count()


def estimate(table: str) -> int:
    """The approximate number of rows of a table, from PostgreSQL's statistics."""
    with connection.cursor() as cursor:
        cursor.execute(ESTIMATE, [connection.ops.quote_name(table)])
        found: tuple[float] = cursor.fetchone()
        return round(found[0])


class BoundedPaginator(RowPaginator):
    """Counts up to ``COUNTED`` rows; above that, estimates a whole table.

    ``qualifier`` is the word before ``count``: empty for an exact number, "about" for an
    estimate, and "at least" for a filtered list that was not counted to its end.
    """

    object_list: "QuerySet[Any]"

    @cached_property
    def count(self) -> int:
        count: int = count_up_to(self.object_list)
        if count == COUNTED and not self.object_list.query.has_filters():
            return max(count, estimate(self.object_list.model._meta.db_table))
        return count

    @property
    def qualifier(self) -> str:
        if self.count < COUNTED:
            return ""
        return "at least" if self.object_list.query.has_filters() else "about"
