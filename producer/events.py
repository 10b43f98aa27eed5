"""The event model: an envelope shared by all, and a discriminated union over the ten event types."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyAddress,
    JsonValue,
    TypeAdapter,
    ValidationError,
)

from producer.errors import InvalidEventError
from producer.iso_codes import COUNTRIES, CURRENCIES

MAX_INT = 2**31 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the character U+0000, which PostgreSQL cannot store")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not contain half a surrogate pair, which UTF-8 cannot write")
    return text


def _storable_json(document: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    pending: list[JsonValue] = [dict(document)]
    while pending:
        match pending.pop():
            case dict() as members:
                pending.extend(members)
                pending.extend(members.values())
            case list() as items:
                pending.extend(items)
            case str() as text:
                _storable(text)
            case float() as number if number - number != 0:
                raise ValueError("must not contain NaN or Infinity, which JSON does not have")
            case _:
                pass
    return document


def _utc_milliseconds(moment: datetime) -> datetime:
    moment = moment.astimezone(UTC)
    if moment < EPOCH:
        raise ValueError("must not be before 1970")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _known_country(code: str) -> str:
    if code not in COUNTRIES:
        raise ValueError(f"{code!r} is not a country code of ISO 3166-1 alpha-2, such as DE")
    return code


def _known_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError(f"{code!r} is not a currency code of ISO 4217, such as EUR")
    return code


Text = Annotated[str, AfterValidator(_storable)]
Identifier = Annotated[Text, Field(min_length=1)]
Count = Annotated[int, Field(ge=0, le=MAX_INT)]
Quantity = Annotated[int, Field(ge=1, le=MAX_INT)]
Moment = Annotated[AwareDatetime, AfterValidator(_utc_milliseconds)]
Country = Annotated[str, AfterValidator(_known_country)]
Currency = Annotated[str, AfterValidator(_known_currency)]
Amount = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]
JsonObject = Annotated[dict[str, JsonValue], AfterValidator(_storable_json)]
Device = Literal["web", "mobile", "tablet", "desktop"]


class Envelope(BaseModel):
    """What every event carries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: UUID
    user_id: Identifier
    session_id: Identifier
    occurred_at: Moment
    device: Device
    country: Country | None = None
    ip_address: IPvAnyAddress | None = None
    page: Text | None = None
    referrer: Text | None = None
    duration_seconds: Count | None = None
    metadata: JsonObject | None = None


class Login(Envelope):
    """A user signs in: a session begins."""

    event_type: Literal["login"] = "login"


class Logout(Envelope):
    """A user signs out; duration_seconds is the length of the session."""

    event_type: Literal["logout"] = "logout"


class PageView(Envelope):
    """A user looks at a page."""

    event_type: Literal["page_view"] = "page_view"


class Click(Envelope):
    """A user clicks on an element."""

    event_type: Literal["click"] = "click"
    element_id: Identifier
    element_type: Text | None = None
    x: Count | None = None
    y: Count | None = None


class Purchase(Envelope):
    """A user pays; amount is the total."""

    event_type: Literal["purchase"] = "purchase"
    product_id: Identifier
    quantity: Quantity
    category: Text | None = None
    amount: Amount
    currency: Currency


class VideoWatch(Envelope):
    """A user watches a video."""

    event_type: Literal["video_watch"] = "video_watch"
    video_id: Identifier
    watched_percent: Annotated[int, Field(ge=0, le=100)]
    video_duration_seconds: Quantity | None = None


class Search(Envelope):
    """A user searches."""

    event_type: Literal["search"] = "search"
    query: Text
    results_count: Count | None = None
    category: Text | None = None


class CartAdd(Envelope):
    """A user puts a product into the cart."""

    event_type: Literal["cart_add"] = "cart_add"
    product_id: Identifier
    quantity: Quantity


class CartRemove(Envelope):
    """A user takes a product out of the cart."""

    event_type: Literal["cart_remove"] = "cart_remove"
    product_id: Identifier
    quantity: Quantity


class Share(Envelope):
    """A user shares a page."""

    event_type: Literal["share"] = "share"
    channel: Identifier


EVENT_MODELS: tuple[type[Envelope], ...] = (
    Login,
    Logout,
    PageView,
    Click,
    Purchase,
    VideoWatch,
    Search,
    CartAdd,
    CartRemove,
    Share,
)

Event = Annotated[
    Login | Logout | PageView | Click | Purchase | VideoWatch | Search | CartAdd | CartRemove | Share,
    Field(discriminator="event_type"),
]
_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def parse_event(fields: Mapping[str, Any]) -> Event:
    """Validate the fields of one event from outside.

    Raises:
        InvalidEventError: naming each offending field and what is wrong with it.
    """
    try:
        return _ADAPTER.validate_python(dict(fields))
    except ValidationError as error:
        raise InvalidEventError(describe(error, "event")) from error


def describe(error: ValidationError, subject: str) -> str:
    """Say in one line which fields of the subject are wrong and why."""
    complaints = []
    for detail in error.errors(include_url=False):
        location = [str(part) for part in detail["loc"]]
        if subject == "event" and location:
            subject = f"{location.pop(0)} event"
        elif subject.endswith(" event") and location:
            location.pop(0)
        reason = "does not belong to it" if detail["type"] == "extra_forbidden" else detail["msg"]
        reason = reason.removeprefix("Value error, ")
        complaints.append(f"{'.'.join(location) or 'event_type'}: {reason}")
    return f"invalid {subject}: " + "; ".join(complaints)
