"""Records that retention removed before they were read: until when the sink may have written rows of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

import psycopg

from pipeline.clients.kafka import Offsets
from pipeline.verify.topics import EVENTS

# A row of user_events that was written before this moment may be of a record that nobody has read.
UNPROVEN_BEFORE: LiteralString = (
    "(SELECT coalesce(max(coalesce(passed_at, 'infinity')), '-infinity') FROM verified_gaps)"
)

_NOTE = """
MERGE INTO verified_gaps AS gap
USING (
    SELECT partition, first_offset + unread AS removed, next_offset FROM verified_topics WHERE topic = %(events)s
) AS read ON read.partition = gap.partition
WHEN MATCHED AND read.removed = 0 THEN DELETE
WHEN MATCHED AND read.removed <> gap.removed THEN
    UPDATE SET removed = read.removed, next_offset = read.next_offset, passed_at = NULL
WHEN NOT MATCHED AND read.removed > 0 THEN
    INSERT (partition, removed, next_offset) VALUES (read.partition, read.removed, read.next_offset)
"""
_BEHIND = """
UPDATE verified_gaps AS gap SET passed_at = clock_timestamp()
FROM unnest(%(partitions)s::int[], %(offsets)s::bigint[]) AS committed (partition, "offset")
WHERE gap.partition = committed.partition AND passed_at IS NULL AND committed."offset" >= gap.next_offset
"""


def note_gaps(connection: psycopg.Connection, committed: Mapping[str, Offsets]) -> None:
    """Note what retention removed unread, and which of it the sink has passed; its positions were taken before."""
    offsets = committed[EVENTS]
    connection.execute(_NOTE, {"events": EVENTS})
    connection.execute(_BEHIND, {"partitions": list(offsets), "offsets": list(offsets.values())})
