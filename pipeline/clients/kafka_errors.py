"""Why Kafka does not do what it was asked: librdkafka's exceptions and callbacks, translated where they enter."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from access.tls import speaks_tls, why_not_verified
from pipeline.errors import NotAuthorizedError, RejectedError, UnreachableError

_ANSWER_SECONDS = 10.0
_POLL_SECONDS = 0.5

# librdkafka's own codes begin with an underscore.
_UNREACHABLE = {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE}  # noqa: SLF001
_REFUSED = {KafkaError._AUTHENTICATION, KafkaError._SSL}  # noqa: SLF001
_ADDRESS = re.compile(r"://(?P<host>[^/]+):(?P<port>\d+)/")
_UNSPECIFIC = {KafkaError._ALL_BROKERS_DOWN}  # noqa: SLF001


class KafkaErrors:
    """Remembers what the error callback of one client was told, since requests themselves only time out."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._bootstrap_servers = str(config["bootstrap.servers"])
        self._config = config
        self._refusal: KafkaError | None = None
        self._last: KafkaError | None = None

    @property
    def refused(self) -> bool:
        """Whether a broker refused us, or we its certificate: no use in waiting."""
        return self._refusal is not None

    def remember(self, error: KafkaError) -> None:
        """Be librdkafka's error callback."""
        if error.code() in _REFUSED:
            self._refusal = error
        elif error.code() not in _UNSPECIFIC:
            self._last = error

    def during(self, action: str, serve: Callable[[], object]) -> Translation:
        """Return a context that translates KafkaException; ``serve`` lets the callback be called."""
        return Translation(self, action, serve)

    def translate(self, action: str, reason: KafkaError) -> UnreachableError | RejectedError:
        """Return our error for what happened during ``action``."""
        if self._refusal is not None:
            return RejectedError(
                f"Kafka at {self._bootstrap_servers} cannot be used: {self._why_refused(self._refusal)}; see "
                "PIPELINE_KAFKA_SASL_* and PIPELINE_KAFKA_SSL_* (`pipeline config show`)"
            )
        if reason.code() in _UNREACHABLE:
            return UnreachableError(
                f"Kafka does not answer at {self._bootstrap_servers}{self._why_silent()}. Is it running "
                "(`pipeline status`)? Its address is PIPELINE_KAFKA_BOOTSTRAP_SERVERS."
            )
        if reason.name().endswith("AUTHORIZATION_FAILED"):  # of which the broker's text is a dump of the request
            return self.not_authorized(action, reason.name())
        return RejectedError(f"Kafka at {self._bootstrap_servers} could not {action}: {reason.str()}")

    def not_authorized(self, action: str, why: str) -> NotAuthorizedError:
        """Return our error for something that we may not do."""
        return NotAuthorizedError(f"Kafka at {self._bootstrap_servers} could not {action}: {why}; see acls.yaml")

    def _why_refused(self, refusal: KafkaError) -> str:
        """Return the reason on one line; of a certificate librdkafka only says that it is not verified."""
        text = " ".join(refusal.str().split())
        address = _ADDRESS.search(text)
        if refusal.code() != KafkaError._SSL or address is None:  # noqa: SLF001
            return text
        wrong = why_not_verified(address["host"], int(address["port"]), self._config.get("ssl.ca.location"))
        return f"its certificate is not accepted: {wrong}" if wrong and "certificate verify failed" in text else text

    def _why_silent(self) -> str:
        """Return what is known of the silence, in brackets."""
        if self._last is not None:
            return f" ({' '.join(self._last.str().split())})"
        host, _, port = self._bootstrap_servers.partition(",")[0].rpartition(":")
        plain = str(self._config.get("security.protocol", "PLAINTEXT")).endswith("PLAINTEXT")
        if plain and port.isdecimal() and speaks_tls(host, int(port)):
            return ", which speaks TLS: PIPELINE_KAFKA_SECURITY_PROTOCOL says plaintext"
        return ""


def first_answer(admin: AdminClient, told: KafkaErrors) -> ClusterMetadata:
    """Return the cluster's metadata as soon as a broker answers.

    Raises KafkaException when a broker refuses us, too: that is told by a callback, while the request would wait.
    """
    deadline = time.monotonic() + _ANSWER_SECONDS
    while True:
        try:
            return admin.list_topics(timeout=_POLL_SECONDS)
        except KafkaException:
            admin.poll(0)
            if told.refused or time.monotonic() > deadline:
                raise


class Translation:
    """A ``with`` block whose KafkaException becomes ours. A class, so that mypy knows it swallows nothing."""

    def __init__(self, errors: KafkaErrors, action: str, serve: Callable[[], object]) -> None:
        self._errors, self._action, self._serve = errors, action, serve

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, KafkaException):
            return
        self._serve()
        reason: Any = error.args[0]
        # A future keeps its exception, which would keep the frames of its traceback and with them future and client: a
        # cycle, and the client would be destroyed by whichever thread collects it, librdkafka's own or one at the exit.
        raise self._errors.translate(self._action, reason) from error.with_traceback(None)
