"""What Kafka allows to whom."""

from __future__ import annotations

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


class Acl(NamedTuple):
    """One operation that a principal may do on a resource, from any host; a prefix names all that begin with it."""

    principal: str
    resource: Resource
    name: str
    prefixed: bool
    operation: Operation

    def __str__(self) -> str:
        where = "the cluster" if self.resource == "cluster" else f"{self.resource.replace('_', ' ')} {self.name}"
        return f"{self.principal} {self.operation} {where}{'*' if self.prefixed else ''}"
