"""Letters that are too old to replay: their key has a newer record, which the old one would overwrite.

Only sinks that take the record's key for the row's: there, the latest record of a key is what holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.clients.kafka import Kafka
from pipeline.clients.positions import Position
from pipeline.clients.records import read_records
from pipeline.dead_letters.letter import Letter


def newer_records(kafka: Kafka, letters: Sequence[Letter]) -> dict[int, Position]:
    """Return the newest record of the same key, by id of the letter, for those that have one after themselves."""
    newest: dict[tuple[str, int, bytes], int] = {}
    # A letter may name a topic that is gone: anybody may write headers.
    for topic in {letter.origin.topic for letter in letters} & kafka.partitions().keys():
        keys = {(letter.origin.partition, letter.key) for letter in letters if letter.origin.topic == topic}
        for partition, key, offset in _records(kafka, topic, letters):
            if key is not None and (partition, key) in keys:
                newest[topic, partition, key] = offset
    found = {}
    for letter in letters:
        topic, partition, offset = letter.origin
        latest = -1 if letter.key is None else newest.get((topic, partition, letter.key), -1)
        if latest > offset:
            found[letter.id] = Position(topic, partition, latest)
    return found


def _records(kafka: Kafka, topic: str, letters: Sequence[Letter]) -> Iterator[tuple[int, bytes | None, int]]:
    """Yield partition, key and offset of every record from the oldest letter's in its partition on."""
    kept, ends = kafka.starts(topic), kafka.ends(topic)
    starts: dict[int, int] = {}
    for partition, offset in (letter.origin[1:] for letter in letters if letter.origin.topic == topic):
        if partition in ends:
            starts[partition] = max(kept[partition], min(starts.get(partition, offset), offset))
    for message in read_records(kafka.config, topic, starts, {partition: ends[partition] for partition in starts}):
        yield message.partition() or 0, _key(message.key()), message.offset() or 0


def _key(key: bytes | str | None) -> bytes | None:
    return key.encode() if isinstance(key, str) else key
