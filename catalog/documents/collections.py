"""The collections of the API: brands and products, each with its noun, path and model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from async_views.runtime.asgi.problem import Problem
from catalog.documents.queries import Query, brands_by_id, products_by_id
from catalog.models import Brand, Product


@dataclass(frozen=True, slots=True)
class Collection:
    """One kind of row: what clients call it, its URL path, its model and its query."""

    noun: str
    path: str
    model: type[Model]
    by_id: Callable[[], Query]

    @property
    def rows(self) -> "QuerySet[Any, Any]":
        return self.model._default_manager.all()


BRANDS = Collection("brand", "/brands", Brand, brands_by_id)
PRODUCTS = Collection("product", "/products", Product, products_by_id)


def not_found(collection: Collection, row_id: int) -> Problem:
    return Problem(404, f"There is no {collection.noun} {row_id}.")
