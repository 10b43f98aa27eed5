"""Building ksqlDB objects anew without their readers noticing.

A changed query that ksqlDB cannot replace in place is built beside the old one first, under names that end in _NEXT and
over topics that end in .next, together with all that reads it. When that has caught up, the sinks read from it; the old
objects and topics are dropped and made again under their declared names; when those have caught up, the sinks go back,
and what was beside is dropped. A table in PostgreSQL keeps its rows all the time and is brought to the new statistics
row by row. At the end what is deployed is what is declared, names and topics alike.

What is beside is recorded as deployed: if a rebuild is interrupted, `--rebuild` begins anew, and `--prune` clears up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pipeline.clients.connector_states import await_state, status_unless_failed, stopped
from pipeline.clients.lag import await_read
from pipeline.declared.connectors import sink_group
from pipeline.declared.ksql import KsqlObject, topic_beside
from pipeline.deploy.renaming import rename
from pipeline.deploy.statements import are_running, await_running, run_statement
from pipeline.deploy.step import Step
from pipeline.deploy.topics import await_topic
from pipeline.errors import RejectedError
from pipeline.plan.change import Identity
from pipeline.plan.deployed import Recorded
from pipeline.waiting import wait_until

SUFFIX = "_NEXT"
_CATCH_UP_SECONDS = 24 * 3600.0  # a long history takes its time; a query or a sink that fails ends the wait


class Rebuild:
    """Rebuilds some objects, all that read each other, in the order of their files."""

    def __init__(self, step: Step, objects: Sequence[KsqlObject]) -> None:
        self._step = step
        self._objects = objects
        self._kafka = step.servers.kafka
        self._ksqldb = step.servers.ksqldb
        self._connect = step.servers.connect
        written = [one.definition.topic for one in objects if one.definition.query]
        self._topics = {topic: topic_beside(topic) for topic in written}
        self._names = {one.name: f"{one.name}{SUFFIX}" for one in objects}

    def run(self) -> None:
        """Build beside, switch, replace, switch back, clean up."""
        sinks = self._sinks()
        self._drop([*self._names.values()], [*self._topics.values()])
        self._create_beside()
        self._switch(sinks, self._topics)
        self._drop([one.name for one in self._objects], [*self._topics])
        self._create_declared()
        self._switch(sinks, {})
        self._drop([*self._names.values()], [*self._topics.values()])

    def _sinks(self) -> dict[str, dict[str, str]]:
        """Return the configurations of the connectors that read the topics. Raises RejectedError if one is PAUSED."""
        sinks: dict[str, dict[str, str]] = {}
        for each in self._connect.describe():
            read = _topics_of(each.config)
            if {*self._topics, *self._topics.values()} & set(read):
                name = each.status.name
                if each.status.state == "PAUSED":
                    raise RejectedError(
                        f"connector {name} is PAUSED, and a rebuild needs it: `pipeline connectors resume {name}` first"
                    )
                sinks[name] = {**each.config, "topics": ",".join(_undone(read, self._topics))}
        return sinks

    def _create_beside(self) -> None:
        self._create_topics(self._topics)
        for topic in self._topics.values():
            self._step.record.deployed(Identity("topic", topic), Recorded("topics.yaml", ""), created=True)
        for one in self._objects:
            statement = rename(one, self._names, self._topics)
            identity = Identity("ksql", self._names[one.name])
            self._step.record.deployed(identity, Recorded(str(one.path), statement), created=True)
            self._create(statement, one)
        for one in self._objects:
            self._await_caught_up(self._names[one.name])

    def _create_declared(self) -> None:
        self._create_topics({topic: topic for topic in self._topics})
        for one in self._objects:
            self._create(one.statement, one)
        for one in self._objects:
            self._await_caught_up(one.name)

    def _create_topics(self, names: Mapping[str, str]) -> None:
        """Create those of the sink topics that are declared, as they are declared; ksqlDB creates the others."""
        replication = self._step.servers.settings.replication_factor
        for topic in self._step.project.topics:
            if topic.name in names:
                self._kafka.create_topic(names[topic.name], topic.partitions, replication, topic.config)
                await_topic(self._step, names[topic.name], there=True)

    def _create(self, statement: str, one: KsqlObject) -> None:
        run_statement(self._ksqldb, statement, one.properties, str(one.path), self._step.timeout_seconds)

    def _await_caught_up(self, name: str) -> None:
        """Return when the query that writes a source has read all that was there when this was called."""
        await_running(self._ksqldb, {name}, self._step.timeout_seconds)
        for group, topics in self._ksqldb.consumer_groups(name).items():
            for topic in topics:
                self._await_group(group, topic, lambda: are_running(self._ksqldb, {name}))

    def _await_group(self, group: str, topic: str, look: Callable[[], object]) -> None:
        """Return when a group has read all that a topic holds now; ``look`` raises where it never will."""
        awaiting = f"{group} to read topic {topic} to its end"
        await_read(self._kafka, group, topic, awaiting=awaiting, timeout_seconds=_CATCH_UP_SECONDS, look=look)

    def _switch(self, sinks: Mapping[str, Mapping[str, str]], topics: Mapping[str, str]) -> None:
        """Let the sinks read other topics, and return when they have written all that is in them."""
        timeout_seconds = self._step.timeout_seconds
        reads = {name: [topics.get(topic, topic) for topic in _topics_of(config)] for name, config in sinks.items()}
        for name, read in reads.items():
            self._await_forgotten(name, read)
        with stopped(self._connect, list(sinks), timeout_seconds=timeout_seconds):
            for name, config in sinks.items():
                self._connect.put(name, {**config, "topics": ",".join(reads[name])})
        for name, read in reads.items():
            await_state(self._connect, name, "RUNNING", timeout_seconds=timeout_seconds)
            for topic in read:
                self._await_group(sink_group(name), topic, partial(status_unless_failed, self._connect, name))

    def _await_forgotten(self, connector: str, topics: Sequence[str]) -> None:
        """Return when Kafka has forgotten the sink's positions in topics that were deleted in between.

        Otherwise the sink would go on in the new topic where it was in the old one, and skip records.
        """
        new = [topic for topic in topics if topic in self._topics or topic in self._topics.values()]
        wait_until(
            lambda: not set(new) & self._kafka.group_topics(sink_group(connector)),
            awaiting=f"Kafka to forget the positions of connector {connector} in {', '.join(new)}",
            timeout_seconds=self._step.timeout_seconds,
        )

    def _drop(self, names: Sequence[str], topics: Sequence[str]) -> None:
        existing = self._ksqldb.describe()
        for name in reversed(names):
            if name in existing:
                with_topic = " DELETE TOPIC" if existing[name].topic in topics and existing[name].writers else ""
                statement = f"DROP {existing[name].kind} `{name}`{with_topic};"
                run_statement(self._ksqldb, statement, {}, f"DROP {name}", self._step.timeout_seconds)
                if with_topic:
                    await_topic(self._step, existing[name].topic, there=False)
        there = self._kafka.partitions()
        for topic in topics:
            if topic in there:
                self._delete_topic(topic)
            self._step.record.deleted(Identity("topic", topic))
        for name in names:
            self._step.record.deleted(Identity("ksql", name))

    def _delete_topic(self, topic: str) -> None:
        """Delete a topic that no query wrote any more: what an interrupted rebuild left behind."""
        self._kafka.delete_topic(topic)
        await_topic(self._step, topic, there=False)
        subject = f"{topic}-value"
        if subject in self._step.servers.registry.subjects():
            self._step.servers.registry.delete_subject(subject)


def _topics_of(config: Mapping[str, str]) -> list[str]:
    return [topic.strip() for topic in config.get("topics", "").split(",") if topic.strip()]


def _undone(read: Sequence[str], topics: Mapping[str, str]) -> list[str]:
    """Return topics as declared, where an earlier rebuild was interrupted while sinks read what was beside."""
    back = {beside: topic for topic, beside in topics.items()}
    return [back.get(topic, topic) for topic in read]
