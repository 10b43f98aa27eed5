"""What operators share while a topology is put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from embedded.ksql.functions.interface import FunctionLibrary
from embedded.ksql.operators.interface import ExpressionFailure, Materialized, Row, Store
from embedded.ksql.operators.keys import Partitioner

Forward: TypeAlias = Callable[[list[Row]], None]


@dataclass(slots=True)
class Context:
    """The library, the settings, and what operators register: stores, flushes, failures."""

    library: FunctionLibrary
    cache: bool
    partitions: int
    stores: list[Store] = field(default_factory=list)
    flushes: list[Callable[[], None]] = field(default_factory=list)
    failures: list[ExpressionFailure] = field(default_factory=list)
    materialized: Materialized | None = None
    topic: str = ""  # which rows are being processed

    def fail(self, row: Row, message: str) -> None:
        """Note a row that an expression could not handle."""
        self.failures.append(ExpressionFailure(row, message, self.topic))

    def name(self, purpose: str) -> str:
        """Return a store's name, the same each time the same plan is built."""
        return f"{purpose}-{len(self.stores)}"

    def partitioner(self, *, repartitioned: bool) -> Partitioner:
        """Return what tells rows' group-partitions."""
        return Partitioner(self.partitions, repartitioned=repartitioned)
