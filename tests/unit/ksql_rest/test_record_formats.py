"""What PRINT makes of bytes."""

from __future__ import annotations

import socket

import pytest

from access.http import Endpoint
from embedded.ksql.rest.record_formats import RecordFormatter
from embedded.ksql.runtime.registry import RegistryClient

AVRO = b"\x00\x00\x00\x00\x07\x02a"


def unreachable() -> RegistryClient:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return RegistryClient(Endpoint(f"http://127.0.0.1:{closed.getsockname()[1]}"))


@pytest.mark.parametrize(
    ("registry", "reason"), [(unreachable(), "does not answer"), (RegistryClient(None), "PIPELINE_SCHEMA_REGISTRY_URL")]
)
def test_without_a_registry_avro_is_shown_as_other_formats_read_it_and_a_line_says_why(
    registry: RegistryClient, reason: str
) -> None:
    values = RecordFormatter("Value", registry)
    missing, formats = values.observe(AVRO).splitlines()
    assert missing.startswith("Values that may be AVRO are not read as such: ")
    assert reason in missing
    assert formats == "Value format: KAFKA_STRING"
    assert values.text(AVRO) == AVRO.decode()
    assert values.observe(AVRO) == ""


def test_without_a_registry_a_number_is_read_as_one() -> None:
    keys = RecordFormatter("Key", RegistryClient(None))
    assert keys.observe((7).to_bytes(8)).splitlines()[-1].startswith("Key format: KAFKA_BIGINT")
    assert keys.text((7).to_bytes(8)) == "7"
