"""The embedded engine takes the settings of the command line: against a broker that asks for TLS and a password."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import requests

from embedded.ports import choose_ports
from pipeline.waiting import wait_until
from tests.conftest import ROOT
from tests.integration.access.broker import PASSWORD, USER, Broker
from tests.integration.access.certificates import Authority
from tests.integration.access.commands import environment, only_line, run


def settings(broker: Broker, authority: Authority) -> dict[str, object]:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": broker.addresses["SECURE"],
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_SASL_USERNAME": USER,
        "KAFKA_SASL_PASSWORD": PASSWORD,
        "KAFKA_SSL_CA_LOCATION": authority.ca,
        "KSQLDB_LISTENER": f"127.0.0.1:{choose_ports(['ksql'], {})['ksql']}",
    }


def test_the_engine_serves_from_a_broker_that_asks_for_tls_and_a_password(
    broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    given = settings(broker, authority)
    variables = environment(given, tmp_path)
    del variables["PIPELINE_SCHEMA_REGISTRY_URL"]
    engine = subprocess.Popen([sys.executable, "-m", "embedded.ksql"], env=variables, cwd=ROOT)
    try:
        url = f"http://{given['KSQLDB_LISTENER']}"

        def answers() -> bool:
            try:
                return requests.get(f"{url}/info", timeout=5).ok
            except requests.ConnectionError:
                return False

        wait_until(answers, awaiting="the engine", timeout_seconds=60)
        create = "CREATE STREAM secured (a STRING) WITH (KAFKA_TOPIC='secured', VALUE_FORMAT='JSON', PARTITIONS=1);"
        answer = requests.post(f"{url}/ksql", json={"ksql": create}, timeout=30)
        assert answer.ok, answer.text
    finally:
        engine.terminate()
        assert engine.wait(30) == 0


def test_a_wrong_password_ends_the_engine_with_one_line(broker: Broker, authority: Authority, tmp_path: Path) -> None:
    wrong = {**settings(broker, authority), "KAFKA_SASL_PASSWORD": "wrong"}
    line = only_line(run(wrong, tmp_path, module="embedded.ksql"), 1)
    assert "uthentication failed" in line
    assert "PIPELINE_KAFKA_SASL_*" in line


def test_settings_that_do_not_fit_end_the_engine_with_one_line(
    broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    contradiction = {**settings(broker, authority), "KAFKA_SECURITY_PROTOCOL": "SSL"}
    line = only_line(run(contradiction, tmp_path, module="embedded.ksql"), 2)
    assert "contradict each other" in line
