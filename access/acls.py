"""What Kafka allows to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Resource = Literal["topic", "group", "transactional_id", "cluster"]
Operation = Literal[
    "All",
    "Read",
    "Write",
    "Create",
    "Delete",
    "Alter",
    "Describe",
    "ClusterAction",
    "DescribeConfigs",
    "AlterConfigs",
    "IdempotentWrite",
]
CLUSTER = "kafka-cluster"  # the name by which Kafka's ACLs call the cluster that they stand in

# Which operations bring another with them: https://kafka.apache.org/documentation/#operations_in_kafka
_IMPLYING: Mapping[Operation, frozenset[Operation]] = {
    "Describe": frozenset({"Read", "Write", "Delete", "Alter"}),
    "DescribeConfigs": frozenset({"AlterConfigs"}),
}


class Acl(NamedTuple):
    """One operation that a principal may do on a resource, from any host; a prefix names all that begin with it."""

    principal: str
    resource: Resource
    name: str
    prefixed: bool
    operation: Operation

    @property
    def pattern(self) -> str:
        """The resource's name, with a star where it is a prefix."""
        return f"{self.name}*" if self.prefixed else self.name

    @property
    def where(self) -> str:
        """The resource in words."""
        return "the cluster" if self.resource == "cluster" else f"{self.resource.replace('_', ' ')} {self.pattern}"

    def covers(self, other: Acl) -> bool:
        """Whether all that the other allows, this does, too."""
        return (
            self.resource == other.resource
            and self.principal in {other.principal, "User:*"}
            and self._covers_name(other)
            and self.operation in {other.operation, "All", *_IMPLYING.get(other.operation, ())}
        )

    def _covers_name(self, other: Acl) -> bool:
        if self.prefixed:
            return other.name.startswith(self.name)
        return self.name == "*" or (self.name == other.name and not other.prefixed)
