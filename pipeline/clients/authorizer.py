"""Kafka's authorizer: who is allowed what."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from access.acls import Acl, Operation, Resource
from pipeline.clients.kafka_errors import KafkaErrors, Translation, first_answer
from pipeline.errors import NotAuthorizedError

_TIMEOUT_SECONDS = 30.0
_QUIET = {"log_level": 0, "socket.timeout.ms": 10_000}

# The client calls the cluster a broker: their number in the protocol is the same.
_TYPES: dict[Resource, ResourceType] = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional_id": ResourceType["TRANSACTIONAL_ID"],  # of which the stubs know nothing
    "cluster": ResourceType.BROKER,
}
_RESOURCES = {kind: resource for resource, kind in _TYPES.items()}
_OPERATIONS: dict[Operation, AclOperation] = {
    "All": AclOperation.ALL,
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "Delete": AclOperation.DELETE,
    "Alter": AclOperation.ALTER,
    "Describe": AclOperation.DESCRIBE,
    "ClusterAction": AclOperation.CLUSTER_ACTION,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    "AlterConfigs": AclOperation.ALTER_CONFIGS,
    "IdempotentWrite": AclOperation.IDEMPOTENT_WRITE,
}
_LIST = "list the ACLs"
# Brokers that are Kafka's in all but this.
_UNKNOWN_REQUEST = frozenset({KafkaError.UNSUPPORTED_VERSION, KafkaError._UNSUPPORTED_FEATURE})  # noqa: SLF001
_ANY: Any = None  # any name, principal or host
_EVERYTHING = AclBindingFilter(
    ResourceType.ANY, _ANY, ResourcePatternType.ANY, _ANY, _ANY, AclOperation.ANY, AclPermissionType.ANY
)
_NAMES = {operation: name for name, operation in _OPERATIONS.items()}


class Authorizer:
    """The ACLs of one cluster. ``config`` holds librdkafka's client settings."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._told = KafkaErrors(config)
        with self._told.during("sign in", lambda: None):
            self._admin = AdminClient({**config, **_QUIET, "error_cb": self._told.remember})

    def acls(self) -> frozenset[Acl] | None:
        """Return what is allowed, None where the cluster authorises nobody. Raises NotAuthorizedError, ServerError."""
        with self._errors(_LIST):
            brokers = first_answer(self._admin, self._told).brokers
            try:
                bindings = self._admin.describe_acls(_EVERYTHING, request_timeout=_TIMEOUT_SECONDS).result()
            except KafkaException as error:
                reason: Any = error.args[0]
                if reason.code() in _UNKNOWN_REQUEST:
                    return None
                raise
        # The client says that there are none, too, where it was refused or nobody is authorised.
        if not bindings:
            if not self._authorises(min(brokers)):
                return None
            if not self._operations():
                raise self._told.not_authorized(_LIST, "Describe on the cluster is needed")
        allowed = (each for each in bindings if each.permission_type == AclPermissionType.ALLOW and each.host == "*")
        return frozenset(_acl(each) for each in allowed if each.restype in _RESOURCES and each.operation in _NAMES)

    def may_add(self) -> bool:
        """Whether we may add ACLs. Raises ServerError."""
        return AclOperation.ALTER in self._operations()

    def _operations(self) -> Collection[AclOperation]:
        """Return what we may do with the cluster itself; nothing where we may not even ask that."""
        with self._errors("say what we may do"):
            # The stubs take the future for a dictionary of futures.
            future: Any = self._admin.describe_cluster(
                include_authorized_operations=True, request_timeout=_TIMEOUT_SECONDS
            )
            return future.result().authorized_operations or ()

    def _authorises(self, broker: int) -> bool:
        """Whether a broker has an authorizer: by its settings, or because it does not let us see them."""
        resource = ConfigResource(ResourceType.BROKER, str(broker))
        try:
            with self._errors("describe a broker"):
                future = self._admin.describe_configs([resource], request_timeout=_TIMEOUT_SECONDS)[resource]
                setting = future.result().get("authorizer.class.name")
        except NotAuthorizedError:
            return True
        return setting is None or bool(setting.value)

    def allow(self, acls: Iterable[Acl]) -> None:
        """Add to what is allowed. Raises NotAuthorizedError, ServerError."""
        with self._errors("add ACLs"):
            for future in self._admin.create_acls([_binding(acl) for acl in acls]).values():
                future.result()

    def _errors(self, action: str) -> Translation:
        return self._told.during(action, lambda: self._admin.poll(0))


def _acl(binding: AclBinding) -> Acl:
    prefixed = binding.resource_pattern_type == ResourcePatternType.PREFIXED
    return Acl(binding.principal, _RESOURCES[binding.restype], binding.name, prefixed, _NAMES[binding.operation])


def _binding(acl: Acl) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if acl.prefixed else ResourcePatternType.LITERAL
    operation, allow = _OPERATIONS[acl.operation], AclPermissionType.ALLOW
    return AclBinding(_TYPES[acl.resource], acl.name, pattern, acl.principal, "*", operation, allow)
