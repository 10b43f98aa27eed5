"""Topics: created, changed and deleted, each awaited until the brokers know."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.deploy.step import Step
from pipeline.plan.change import Change
from pipeline.plan.deployed import Recorded
from pipeline.waiting import wait_until


def deploy_topics(step: Step) -> Iterator[Change]:
    """Yield each topic's change when it is done."""
    kafka, settings = step.servers.kafka, step.servers.settings
    declared = {topic.name: topic for topic in step.project.topics}
    for change in step.changes:
        topic = declared[change.name]
        if change.action == "create":
            kafka.create_topic(topic.name, topic.partitions, settings.replication_factor, topic.config)
            await_topic(step, topic.name, there=True)
        else:
            kafka.alter_topic_config(topic.name, {one.key: one.after for one in change.differences})
        content = topic.model_dump_json()
        step.record.deployed(change.identity, Recorded("topics.yaml", content), created=change.action == "create")
        yield change


def delete_topics(step: Step) -> Iterator[Change]:
    """Yield each topic's change when it is gone."""
    for change in step.changes:
        # A rebuild in the same deployment may have deleted it: what an interrupted one had left beside.
        if change.name in step.servers.kafka.partitions():
            step.servers.kafka.delete_topic(change.name)
            await_topic(step, change.name, there=False)
        step.record.deleted(change.identity)
        yield change


def await_topic(step: Step, name: str, *, there: bool) -> None:
    """Return when the brokers know a topic, or no longer do."""
    wait_until(
        lambda: (name in step.servers.kafka.partitions()) == there,
        awaiting=f"topic {name} to be {'there' if there else 'gone'}",
        timeout_seconds=step.timeout_seconds,
    )
