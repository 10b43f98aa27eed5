"""The embedded broker with listeners that ask for TLS, SASL and certificates, and with an authorizer."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from embedded.installation import install
from embedded.ports import choose_ports
from embedded.servers.catalogue import PORT_NAMES
from embedded.servers.interface import Stack, base_environment
from embedded.servers.kafka import Kafka
from embedded.state import StateDir
from pipeline.waiting import wait_until
from tests.integration.access.certificates import HOST, Authority

LISTENERS = {"SECURE": "SASL_SSL", "EXPIRED": "SASL_SSL", "MUTUAL": "SSL"}
USER, PASSWORD = "analytics", "correct horse"
PARTS, PART_PASSWORD = ("producer", "connect", "ksqldb", "deployer", "operator", "eraser"), "least"  # of acls.yaml
_PACKAGE = "org.apache.kafka.common.security"


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it listens: ``plaintext`` is the super user's way in, ``addresses`` the others by name."""

    plaintext: str
    addresses: dict[str, str]


@contextmanager
def running_broker(directory: Path, authority: Authority, keys: Path, token_issuer: str) -> Iterator[Broker]:
    """Run a broker. ``keys`` are those (JWKS) that tokens of ``token_issuer`` are signed with."""
    ports = choose_ports((*PORT_NAMES, *LISTENERS), {})
    state = StateDir(directory / "state")
    state.create()
    server = Kafka(Stack(state, ports, "", install({"kafka"})))
    server.prepare()
    configuration = state.server_dir("kafka") / "server.properties"
    lines = configuration.read_text(encoding="utf-8").splitlines()
    added = {**_security(authority, keys, token_issuer), **_listeners(server.address(), ports)}
    kept = [line for line in lines if line.partition("=")[0] not in added]
    configuration.write_text(
        "\n".join([*kept, *(f"{name}={value}" for name, value in added.items())]), encoding="utf-8"
    )
    launch = server.launch()
    arguments = [*map(str, launch.arguments)]
    arguments.insert(1, f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys.as_uri()}")
    with (directory / "broker.log").open("wb") as log:
        process = subprocess.Popen(
            arguments, env=base_environment() | dict(launch.environment), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_until(server.is_ready, awaiting=f"the broker ({log.name})", timeout_seconds=120)
            _add_user(server.address())
            yield Broker(server.address(), {name: f"{HOST}:{ports[name]}" for name in LISTENERS})
        finally:
            process.kill()
            process.wait()


def _listeners(plaintext: str, ports: dict[str, int]) -> dict[str, str]:
    secure = [f"{name}://{HOST}:{ports[name]}" for name in LISTENERS]
    controller = f"127.0.0.1:{ports['kafka-controller']}"
    protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **LISTENERS}
    return {
        "listeners": ",".join([f"PLAINTEXT://{plaintext}", f"CONTROLLER://{controller}", *secure]),
        "advertised.listeners": ",".join([f"PLAINTEXT://{plaintext}", *secure]),
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
    }


def _security(authority: Authority, keys: Path, token_issuer: str) -> dict[str, str]:
    good, expired = authority.issue("broker"), authority.issue("expired-broker", expired=True)
    settings = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{USER}",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        "listener.name.mutual.ssl.client.auth": "required",
        "listener.name.mutual.ssl.truststore.type": "PEM",
        "listener.name.mutual.ssl.truststore.location": str(authority.ca),
    }
    parts = " ".join(f'user_{name}="{PART_PASSWORD}"' for name in PARTS)
    for name in LISTENERS:
        prefix = f"listener.name.{name.lower()}."
        identity = expired if name == "EXPIRED" else good
        settings |= {f"{prefix}ssl.keystore.type": "PEM", f"{prefix}ssl.keystore.location": str(identity.both)}
        plain = f'{_PACKAGE}.plain.PlainLoginModule required user_{USER}="{PASSWORD}" {parts};'
        settings[f"{prefix}plain.sasl.jaas.config"] = plain
        for mechanism in ("scram-sha-256", "scram-sha-512"):
            settings[f"{prefix}{mechanism}.sasl.jaas.config"] = f"{_PACKAGE}.scram.ScramLoginModule required;"
        oauth = f"{prefix}oauthbearer."
        settings |= {
            f"{oauth}sasl.jaas.config": f"{_PACKAGE}.oauthbearer.OAuthBearerLoginModule required;",
            f"{oauth}sasl.server.callback.handler.class": (
                f"{_PACKAGE}.oauthbearer.OAuthBearerValidatorCallbackHandler"
            ),
            f"{oauth}sasl.oauthbearer.jwks.endpoint.url": keys.as_uri(),
            f"{oauth}sasl.oauthbearer.expected.issuer": token_issuer,
        }
    return settings


def _add_user(plaintext: str) -> None:
    admin = AdminClient({"bootstrap.servers": plaintext})
    for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
        credential = UserScramCredentialUpsertion(USER, ScramCredentialInfo(mechanism, 4096), PASSWORD.encode())
        for future in admin.alter_user_scram_credentials([credential]).values():
            future.result()
