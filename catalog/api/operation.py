"""An operation of the API, in the terms of OpenAPI: one method of one path."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Operation:
    """A function, the models of what it accepts and returns, and its summary.

    The function is called with the request and, in this order, the ID in the path, the
    query and the body, as far as the operation has them. In the OpenAPI document its name
    is the operation's ID and its docstring the description.
    """

    function: Callable[..., Coroutine[Any, Any, HttpResponse]]
    summary: str
    returns: Any = None  # a model or a list of them; None for an empty response
    status: int = 200
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    any_content_type: bool = False
