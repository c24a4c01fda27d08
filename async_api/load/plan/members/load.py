"""The members of a load: how many requests, and when."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from async_api.load.plan.limits import MAX_SECONDS
from async_api.load.plan.members.base import Members, one_of, require_one

MAX_STEPS = 100
MAX_SEED = 2**63 - 1


class ClosedMembers(Members):
    """A number of connections, each of which sends again once it has a response."""

    model_config = one_of("requests", "seconds")

    kind: Literal["closed"]
    connections: int = Field(default=10, ge=1, description="How many connections.")
    requests: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="The number of requests after which the run ends."
    )
    seconds: (
        Annotated[float, Field(gt=0, le=MAX_SECONDS, allow_inf_nan=False)] | None
    ) = Field(
        default=None, description="The time after which the run ends, in seconds."
    )

    @model_validator(mode="after")
    def _has_one_end(self) -> Self:
        return require_one(self, "requests", "seconds")


class PacedMembers(Members):
    connections: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="The largest number of connections. Default: 64, or "
        "LOAD_MAX_CONNECTIONS if that is less.",
    )
    spacing: Literal["even", "poisson"] = Field(
        default="even",
        description="Even gaps, or gaps from an exponential distribution.",
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = Field(
        default=0,
        description="The seed of the random numbers, with poisson spacing only.",
    )

    @model_validator(mode="after")
    def _uses_its_seed(self) -> Self:
        if "seed" in self.model_fields_set and self.spacing == "even":
            raise ValueError('has a "seed", which is used with poisson spacing only')
        return self


class RateMembers(PacedMembers):
    """A number of requests per second, whatever the target does."""

    kind: Literal["rate"]
    rate: float = Field(gt=0, allow_inf_nan=False, description="Requests per second.")
    seconds: float = Field(
        gt=0, le=MAX_SECONDS, allow_inf_nan=False, description="How long, in seconds."
    )


class StepsMembers(PacedMembers):
    """Several rates, or several numbers of connections, each held for some seconds."""

    kind: Literal["steps"]
    of: Literal["rate", "connections"] = Field(
        description="What the values are: requests per second, or connections."
    )
    values: Annotated[
        list[Annotated[float, Field(gt=0, allow_inf_nan=False)]],
        Field(min_length=1, max_length=MAX_STEPS),
    ] = Field(description="A value for each step.")
    seconds: float = Field(
        gt=0,
        le=MAX_SECONDS,
        allow_inf_nan=False,
        description="How long each step is held, in seconds.",
    )

    @model_validator(mode="after")
    def _fits_what_it_steps(self) -> Self:
        if self.of == "connections":
            if set(self.model_fields_set) & {"connections", "spacing", "seed"}:
                raise ValueError(
                    "steps through connections, and then has no connections, spacing "
                    "or seed of its own"
                )
            if not all(value.is_integer() for value in self.values):
                raise ValueError(
                    "steps through connections, and then all values are whole numbers"
                )
        return self
