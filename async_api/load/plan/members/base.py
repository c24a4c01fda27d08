"""What all models of the document share: no unknown members, and no conversions."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict

Model = TypeVar("Model", bound="Members")


class Members(BaseModel):
    """The members of an object. Strict: the text "5" is not the number 5."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True
    )


def one_of(*names: str) -> ConfigDict:
    """The JSON schema in which exactly one of the members is present."""
    return ConfigDict(json_schema_extra={"oneOf": [{"required": [n]} for n in names]})


def require_one(model: Model, *names: str) -> Model:
    """Raises ValueError unless exactly one of the members is present."""
    given = [
        name
        for name, field in type(model).model_fields.items()
        if (field.alias or name) in names
        and name in model.model_fields_set
        # The JSON body null is a body.
        and (field.alias == "json" or getattr(model, name) is not None)
    ]
    if len(given) != 1:
        several = "but has none" if not given else f"but has {len(given)}"
        raise ValueError(f"must have exactly one of {', '.join(names)}, {several}")
    return model
