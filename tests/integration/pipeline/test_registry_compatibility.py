"""Our offline rules of Avro compatibility say what the registry says."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from access.http import Endpoint
from pipeline.clients.registry import SchemaRegistry
from pipeline.errors import RejectedError
from tests.avro_pairs import COMPATIBLE, INCOMPATIBLE, record
from tests.conftest import Stack


def accepted(registry: SchemaRegistry, subject: str, reader: Any, writer: Any) -> bool:
    registry.register(subject, json.dumps(record(writer)))
    registry.set_compatibility(subject, "BACKWARD")
    try:
        registry.register(subject, json.dumps(record(reader)))
    except RejectedError as error:
        if error.status != requests.codes.conflict:
            raise
        return False
    return True


@pytest.mark.parametrize(("number", "pair"), list(enumerate(COMPATIBLE)))
def test_the_registry_accepts_what_we_accept(stack: Stack, number: int, pair: tuple[Any, Any]) -> None:
    assert accepted(SchemaRegistry(Endpoint(stack.schema_registry_url)), f"compatible-{number}-value", *pair)


@pytest.mark.parametrize(("number", "pair"), list(enumerate(INCOMPATIBLE)))
def test_the_registry_refuses_what_we_refuse(stack: Stack, number: int, pair: tuple[Any, Any]) -> None:
    assert not accepted(SchemaRegistry(Endpoint(stack.schema_registry_url)), f"incompatible-{number}-value", *pair)
