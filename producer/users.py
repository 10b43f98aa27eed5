"""The profile of a user."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from producer.errors import InvalidEventError
from producer.events import Country, Identifier, Text, describe


class User(BaseModel):
    """A profile; the latest one of a user_id holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: Identifier
    email: Annotated[Text, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    first_name: Text
    last_name: Text
    country: Country
    is_active: bool
    signup_date: date


def parse_user(fields: Mapping[str, Any]) -> User:
    """Validate a profile from outside.

    Raises:
        InvalidEventError: naming each offending field and what is wrong with it.
    """
    try:
        return User.model_validate(dict(fields))
    except ValidationError as error:
        raise InvalidEventError(describe(error, "user")) from error
