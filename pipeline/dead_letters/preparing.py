"""From letters to what is sent: decoded, repaired, and sorted by the sink that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.clients.connect import Connect
from pipeline.clients.kafka import Kafka
from pipeline.clients.registry import SchemaRegistry
from pipeline.dead_letters.avro import AvroCodec, WriterSchema
from pipeline.dead_letters.letter import Letter
from pipeline.dead_letters.repair import Repair, RepairError
from pipeline.dead_letters.sending import Outgoing
from pipeline.dead_letters.sink import Sink, read_sink
from pipeline.dead_letters.superseded import newer_records
from pipeline.errors import RejectedError


@dataclass(frozen=True, slots=True)
class Route:
    """From one topic back to one sink."""

    connector: str
    topic: str
    retry_topic: str


@dataclass(slots=True)
class Prepared:
    """A batch: what can be sent, by route; which letters stay as they are, and which are superseded, with reasons."""

    outgoing: dict[Route, list[Outgoing]] = field(default_factory=dict)
    kept: dict[int, str] = field(default_factory=dict)
    superseded: dict[int, str] = field(default_factory=dict)


class Preparation:
    """Prepares batches with one repair; asks each server for the same thing once only."""

    def __init__(self, connect: Connect, registry: SchemaRegistry, kafka: Kafka, repair: Repair) -> None:
        self._connect = connect
        self._registry = registry
        self._kafka = kafka
        self._repair = repair
        self._codec = AvroCodec(registry.schema_by_id)
        self._sinks: dict[str, Sink | str] = {}
        self._latest: dict[str, WriterSchema] = {}

    def prepare(self, letters: Sequence[Letter]) -> Prepared:
        """Return what is to be sent. Raises UnreachableError; what is wrong with one letter stays with that letter."""
        prepared = Prepared()
        sinks: dict[int, Sink] = {}
        for letter in letters:
            sink = self._sink(letter.connector)
            if isinstance(sink, Sink):
                sinks[letter.id] = sink
            else:
                prepared.kept[letter.id] = sink
        by_key = [letter for letter in letters if letter.id in sinks and sinks[letter.id].by_record_key]
        for number, newer in newer_records(self._kafka, by_key).items():
            prepared.superseded[number] = f"superseded: {newer} has the same key and is newer"
        for letter in letters:
            if letter.id in sinks and letter.id not in prepared.superseded:
                self._add(prepared, letter, sinks[letter.id])
        return prepared

    def _add(self, prepared: Prepared, letter: Letter, sink: Sink) -> None:
        try:
            route = Route(letter.connector, letter.origin.topic, sink.retry_topic(letter.origin.topic))
            repaired = self._repair.apply(letter, sink, self._codec, self._latest_schema)
        except (RejectedError, RepairError) as error:
            prepared.kept[letter.id] = str(error)
        else:
            outgoing = Outgoing(letter, repaired.value, repaired.row_key)
            prepared.outgoing.setdefault(route, []).append(outgoing)

    def _sink(self, connector: str) -> Sink | str:
        """Return the sink, or why there is none."""
        if connector not in self._sinks:
            try:
                self._sinks[connector] = read_sink(self._connect, connector)
            except RejectedError as error:
                self._sinks[connector] = str(error)
        return self._sinks[connector]

    def _latest_schema(self, topic: str) -> WriterSchema:
        if topic not in self._latest:
            schema_id = self._registry.latest_id(f"{topic}-value")
            schema = None if schema_id is None else self._codec.schema(schema_id)
            if schema is None:
                raise RepairError(f"the registry has no record schema for subject {topic}-value")
            self._latest[topic] = schema
        return self._latest[topic]
