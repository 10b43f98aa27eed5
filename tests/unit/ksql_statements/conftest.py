"""A catalog that statements are run against, without Kafka."""

from __future__ import annotations

import pytest

from embedded.ksql.cases.engine import Engine


@pytest.fixture
def engine() -> Engine:
    made = Engine()
    made.execute(
        "CREATE STREAM ev (id STRING KEY, v INT, s STRING) WITH (KAFKA_TOPIC='ev', VALUE_FORMAT='JSON');"
        "CREATE TABLE counts AS SELECT id, COUNT(*) AS n FROM ev GROUP BY id;"
        "CREATE STREAM big AS SELECT * FROM ev WHERE v > 1;"
    )
    return made
