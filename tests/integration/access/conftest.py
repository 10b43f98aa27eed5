from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.access.broker import Broker, running_broker
from tests.integration.access.certificates import Authority
from tests.integration.access.tokens import ISSUER, TokenEndpoint


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "ours")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that signed nothing here."""
    return Authority(tmp_path_factory.mktemp("authority"), "stranger")


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> TokenEndpoint:
    return TokenEndpoint(tmp_path_factory.mktemp("tokens"))


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory, authority: Authority, tokens: TokenEndpoint) -> Iterator[Broker]:
    directory: Path = tmp_path_factory.mktemp("broker")
    with running_broker(directory, authority, tokens.keys, ISSUER) as running:
        yield running
