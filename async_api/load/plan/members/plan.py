"""The members of a whole plan, and of its conditions."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from async_api.load.plan.budgets import EXAMPLES, parse_budget
from async_api.load.plan.limits import (
    MAX_CONNECT_SECONDS,
    MAX_DEADLINE_SECONDS,
    MAX_RESPONSE_SECONDS,
    MAX_SECONDS,
)
from async_api.load.plan.members.base import Members
from async_api.load.plan.members.load import ClosedMembers, RateMembers, StepsMembers
from async_api.load.plan.members.request import (
    AuthenticationMembers,
    BodyMembers,
    ChecksMembers,
    HeaderMembers,
    PartMembers,
    RequestMembers,
)

MAX_REQUESTS = 20


def _budget(text: str) -> str:
    parse_budget(text)
    return text


class ConditionsMembers(Members):
    keep_alive: bool = Field(
        default=True,
        description="Use connections again; otherwise a new one for each request.",
    )
    connect_first: bool = Field(
        default=True, description="Open the connections before the clock starts."
    )
    ip: Literal["either", "4", "6"] = Field(
        default="either", description="The version of IP that is used."
    )
    connect_seconds: float = Field(
        default=5.0,
        gt=0,
        le=MAX_CONNECT_SECONDS,
        allow_inf_nan=False,
        description="The time allowed to open a connection, in seconds.",
    )
    response_seconds: float = Field(
        default=30.0,
        gt=0,
        le=MAX_RESPONSE_SECONDS,
        allow_inf_nan=False,
        description="The time allowed from the send to the last byte, in seconds.",
    )
    deadline_seconds: (
        Annotated[float, Field(gt=0, le=MAX_DEADLINE_SECONDS, allow_inf_nan=False)]
        | None
    ) = Field(
        default=None,
        description="The time after its planned time at which a request that was not sent "
        "is shed, in seconds. Default: none.",
    )
    warm_up_seconds: float = Field(
        default=0.0,
        ge=0,
        le=MAX_SECONDS,
        allow_inf_nan=False,
        description="Requests planned in the first seconds are excluded from the result.",
    )
    insecure: bool = Field(default=False, description="Accept any certificate.")
    ca_file: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="The path of a file with the certificates trusted, where files are "
        "allowed. Default: those of the system.",
    )

    @model_validator(mode="after")
    def _checks_certificates_or_not(self) -> Self:
        if self.insecure and self.ca_file:
            raise ValueError("must not have both insecure and ca_file")
        return self


class PlanMembers(Members):
    """What a load run sends, how much of it, and what is expected of the responses."""

    requests: Annotated[
        list[RequestMembers], Field(min_length=1, max_length=MAX_REQUESTS)
    ] = Field(description="The requests, chosen by their weights.")
    load: ClosedMembers | RateMembers | StepsMembers = Field(
        discriminator="kind", description="How many requests, and when."
    )
    conditions: ConditionsMembers = Field(
        default=ConditionsMembers(),
        description="How the requests reach the target.",
    )
    budgets: Annotated[
        list[Annotated[str, Field(max_length=80), AfterValidator(_budget)]],
        Field(max_length=50),
    ] = Field(
        default=[],
        description=f"Limits that the run's numbers have to keep, such as {EXAMPLES}.",
    )


# Of each named object of the document, "" for the whole; of the load, by its kind.
MODELS: dict[str, type[BaseModel]] = {
    "": PlanMembers,
    "requests": RequestMembers,
    "headers": HeaderMembers,
    "body": BodyMembers,
    "form": PartMembers,
    "authentication": AuthenticationMembers,
    "checks": ChecksMembers,
    "conditions": ConditionsMembers,
    "closed": ClosedMembers,
    "rate": RateMembers,
    "steps": StepsMembers,
}
