"""Kafka: TLS, SASL and tokens, as librdkafka's client settings."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from access.files import existing_file
from access.msk import token_callback

IAM = "AWS_MSK_IAM"

# What each mechanism needs, as fields.
_NEEDS = {
    "PLAIN": ("kafka_sasl_username", "kafka_sasl_password"),
    "SCRAM-SHA-256": ("kafka_sasl_username", "kafka_sasl_password"),
    "SCRAM-SHA-512": ("kafka_sasl_username", "kafka_sasl_password"),
    "OAUTHBEARER": ("kafka_oauth_token_url", "kafka_oauth_client_id", "kafka_oauth_client_secret"),
    IAM: ("kafka_aws_region",),
}


class KafkaAccess(BaseModel):
    """The settings of Kafka's clients."""

    kafka_bootstrap_servers: str = Field(min_length=1)
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] | None = None
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"] | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_oauth_token_url: str | None = None
    kafka_oauth_client_id: str | None = None
    kafka_oauth_client_secret: SecretStr | None = None
    kafka_oauth_scope: str | None = None
    kafka_aws_region: str | None = None
    kafka_ssl_ca_location: Path | None = None
    kafka_ssl_certificate_location: Path | None = None
    kafka_ssl_key_location: Path | None = None
    kafka_ssl_key_password: SecretStr | None = None
    kafka_ssl_endpoint_identification_algorithm: Literal["https", "none"] | None = None

    _kafka_files_exist = field_validator(
        "kafka_ssl_ca_location", "kafka_ssl_certificate_location", "kafka_ssl_key_location"
    )(existing_file)

    @model_validator(mode="after")
    def _settings_fit(self) -> KafkaAccess:
        protocol, mechanism = self.kafka_security_protocol or "PLAINTEXT", self.kafka_sasl_mechanism
        if protocol.startswith("SASL_") != (mechanism is not None):
            raise ValueError(
                f"PIPELINE_KAFKA_SECURITY_PROTOCOL={protocol} and PIPELINE_KAFKA_SASL_MECHANISM={mechanism or ''} "
                "contradict each other: a mechanism needs SASL_SSL or SASL_PLAINTEXT, and these need a mechanism"
            )
        missing = [name for name in _NEEDS.get(mechanism or "", ()) if getattr(self, name) is None]
        if missing:
            variables = ", ".join(f"PIPELINE_{name.upper()}" for name in missing)
            raise ValueError(f"{variables} not set, but PIPELINE_KAFKA_SASL_MECHANISM={mechanism} needs it")
        if mechanism == IAM and find_spec("aws_msk_iam_sasl_signer") is None:
            raise ValueError(
                f"PIPELINE_KAFKA_SASL_MECHANISM={IAM} needs the signer: pip install 'user-analytics-pipeline[msk]'"
            )
        return self

    def kafka_config(self) -> dict[str, Any]:
        """Return the librdkafka settings that every Kafka client of ours starts from."""
        given = {
            "bootstrap.servers": self.kafka_bootstrap_servers,
            "security.protocol": self.kafka_security_protocol,
            "ssl.ca.location": self.kafka_ssl_ca_location,
            "ssl.certificate.location": self.kafka_ssl_certificate_location,
            "ssl.key.location": self.kafka_ssl_key_location,
            "ssl.key.password": self.kafka_ssl_key_password,
            "ssl.endpoint.identification.algorithm": self.kafka_ssl_endpoint_identification_algorithm,
            **self._sasl(),
        }
        return {name: _plain(value) for name, value in given.items() if value is not None}

    def _sasl(self) -> dict[str, Any]:
        if self.kafka_sasl_mechanism == IAM and self.kafka_aws_region is not None:
            return {"sasl.mechanism": "OAUTHBEARER", "oauth_cb": token_callback(self.kafka_aws_region)}
        if self.kafka_sasl_mechanism == "OAUTHBEARER":
            return {
                "sasl.mechanism": "OAUTHBEARER",
                "sasl.oauthbearer.method": "oidc",
                "sasl.oauthbearer.token.endpoint.url": self.kafka_oauth_token_url,
                "sasl.oauthbearer.client.id": self.kafka_oauth_client_id,
                "sasl.oauthbearer.client.secret": self.kafka_oauth_client_secret,
                "sasl.oauthbearer.scope": self.kafka_oauth_scope,
            }
        return {
            "sasl.mechanism": self.kafka_sasl_mechanism,
            "sasl.username": self.kafka_sasl_username,
            "sasl.password": self.kafka_sasl_password,
        }


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value) if isinstance(value, Path) else value
