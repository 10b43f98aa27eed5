"""What the servers say to a plan before anything changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache

from pipeline.declared.connectors import Connector
from pipeline.declared.ksql import KsqlObject
from pipeline.declared.project import Project
from pipeline.declared.topics import Topic
from pipeline.errors import RejectedError
from pipeline.plan.change import Change, Identity
from pipeline.plan.collect import in_parallel
from pipeline.plan.servers import Servers

_MAY_NOT_ADD = (
    "who deploys may not add ACLs: that needs Alter on the cluster. Have them added by somebody who may "
    "(`pipeline acls apply`), then deploy again."
)

Validate = Callable[[Change], str | None]


def validate(changes: Sequence[Change], project: Project, servers: Servers) -> list[Change]:
    """Return the changes with the servers' refusals; what PostgreSQL says has come with the trial."""
    asked = [one for one in changes if one.refusal is None and one.action in {"create", "update"}]
    validators: dict[str, Validate] = {
        "acl": _acls(servers),
        "topic": _topics({topic.name: topic for topic in project.topics}, servers),
        "schema": _schemas(project, servers),
        "ksql": _ksql({one.name: one for one in project.ksql}, changes, servers),
        "connector": _connectors({one.name: one for one in project.connectors}, servers),
    }
    by_identity = {one.identity: one for one in asked if one.kind in validators}

    def ask(identity: Identity) -> str | None:
        return validators[identity.kind](by_identity[identity])

    refusals = in_parallel(ask, list(by_identity))
    return [replace(one, refusal=one.refusal or refusals.get(one.identity)) for one in changes]


def _acls(servers: Servers) -> Validate:
    def ask(_change: Change) -> str | None:
        try:
            may = servers.authorizer.may_add()
        except RejectedError as error:
            return str(error)
        return None if may else _MAY_NOT_ADD

    return ask


def _topics(declared: Mapping[str, Topic], servers: Servers) -> Validate:
    def ask(change: Change) -> str | None:
        topic = declared[change.name]
        try:
            if change.action == "create":
                replication = servers.settings.replication_factor
                servers.kafka.create_topic(topic.name, topic.partitions, replication, topic.config, validate_only=True)
            else:
                config = {one.key: one.after for one in change.differences}
                servers.kafka.alter_topic_config(topic.name, config, validate_only=True)
        except RejectedError as error:
            return str(error)
        return None

    return ask


def _schemas(project: Project, servers: Servers) -> Validate:
    declared = {schema.subject: schema for schema in project.schemas}

    def ask(change: Change) -> str | None:
        schema = declared[change.name]
        if change.action == "create":
            return None
        reason = servers.registry.refusal(schema.subject, json.dumps(schema.document))
        return reason and (
            f"{schema.path}: not BACKWARD compatible with the registered version of {schema.subject}: readers of old "
            f"records would fail. Give new fields a default and keep the old ones' types. ({reason})"
        )

    return ask


def _ksql(declared: Mapping[str, KsqlObject], changes: Sequence[Change], servers: Servers) -> Validate:
    changing = {change.name for change in changes if change.kind == "ksql" and change.changes}

    def ask(change: Change) -> str | None:
        one = declared[change.name]
        query = one.definition.query
        # What it reads is not there yet, or is about to be another: then only the deployment itself can tell.
        if query is None or changing & set(query.sources):
            return None
        statement = one.statement if change.action == "create" else one.replacing
        reason = servers.ksqldb.refusal(statement, one.properties)
        return reason and f"{one.path}: {reason}"

    return ask


def _connectors(declared: Mapping[str, Connector], servers: Servers) -> Validate:
    plugins = cache(servers.connect.sink_plugins)

    def ask(change: Change) -> str | None:
        connector = declared[change.name]
        connector_class = connector.config["connector.class"]
        if connector_class not in plugins():
            return f"{connector.path}: {connector_class} is not installed; there are: {', '.join(plugins())}"
        try:
            reasons = servers.connect.validate(connector.config)
        except RejectedError as error:
            # A plugin that fails while it validates: Connect answers 500 with its exception.
            reasons = [str(error)]
        return f"{connector.path}: {'; '.join(reasons)}" if reasons else None

    return ask
