"""What the planner reads of the catalog: the sources that exist."""

from __future__ import annotations

from typing import Literal, Protocol

from embedded.ksql.planning.plan import Format, TimestampColumn, WindowInfo
from embedded.ksql.types import Schema


class SourceView(Protocol):
    """A declared stream or table."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def kind(self) -> Literal["STREAM", "TABLE"]:
        """What it is."""
        ...

    @property
    def schema(self) -> Schema:
        """Its key and value columns."""
        ...

    @property
    def topic(self) -> str:
        """The topic that holds it."""
        ...

    @property
    def key_format(self) -> Format:
        """How its keys are written."""
        ...

    @property
    def value_format(self) -> Format:
        """How its values are written."""
        ...

    @property
    def window(self) -> WindowInfo | None:
        """How its keys are windowed."""
        ...

    @property
    def timestamp(self) -> TimestampColumn | None:
        """The column that gives a record its time."""
        ...

    @property
    def partitions(self) -> int:
        """How many partitions its topic has."""
        ...


class CatalogView(Protocol):
    """The sources by name."""

    def source(self, name: str) -> SourceView | None:
        """Return a source, or None."""
        ...
