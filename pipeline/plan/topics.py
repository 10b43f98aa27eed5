"""Topics: declared against deployed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.declared.topics import Topic
from pipeline.plan.change import Change, Difference, compare_mappings
from pipeline.plan.deployed import DeployedTopic

_HOUR_MS = 3_600_000


def compare_topic(topic: Topic, deployed: DeployedTopic | None) -> Change:
    """Return what makes a topic what it is declared to be."""
    if deployed is None:
        made = compare_mappings({}, {"partitions": str(topic.partitions), **topic.config})
        return Change("topic", topic.name, "create", made, (f"{topic.partitions} partitions",))
    if deployed.partitions != topic.partitions:
        refusal = (
            f"topic {topic.name} has {deployed.partitions} partitions, topics.yaml says {topic.partitions}: with "
            "another number, keys would move to other partitions. Correct topics.yaml, or move to a new topic."
        )
        change = Difference("partitions", str(deployed.partitions), str(topic.partitions))
        return Change("topic", topic.name, "update", (change,), refusal=refusal)
    differences = tuple(_config(topic.config, deployed))
    if not differences:
        return Change("topic", topic.name, "unchanged")
    return Change("topic", topic.name, "update", differences, tuple(_consequences(differences, deployed.defaults)))


def _config(declared: Mapping[str, str], deployed: DeployedTopic) -> Iterator[Difference]:
    """Yield what differs. A setting that only states the default is no difference, on either side."""
    for key in sorted(declared.keys() | deployed.overrides.keys()):
        default = deployed.defaults.get(key)
        actual = deployed.overrides.get(key, default)
        wanted = declared.get(key, default)
        if _meaning(key, actual) != _meaning(key, wanted):
            yield Difference(key, actual, wanted if key in declared else None)


def _meaning(key: str, value: str | None) -> object:
    if value is not None and key == "cleanup.policy":
        return frozenset(part.strip() for part in value.split(","))
    return value


def _consequences(differences: tuple[Difference, ...], defaults: Mapping[str, str]) -> Iterator[str]:
    for one in differences:
        before, after = one.before or "", one.after or defaults.get(one.key, "")
        match one.key:
            case "retention.ms" | "retention.bytes" if _is_less(after, before):
                limit = f"{int(after) / _HOUR_MS:g} h" if one.key == "retention.ms" else f"{int(after):,} bytes"
                yield f"Kafka deletes what is beyond {limit}, soon and for good"
            case "cleanup.policy" if "compact" in after and "compact" not in before:
                yield "Kafka keeps only the last record of each key, and refuses records without one"
            case "cleanup.policy" if "delete" in after and "delete" not in before:
                yield "Kafka deletes records that are older than retention.ms"
        if one.after is None:
            yield f"{one.key} goes back to the cluster's default"


def _is_less(after: str, before: str) -> bool:
    """Whether a limit is lower than before; -1 is none at all."""
    if not after.isdigit():
        return False
    return not before.isdigit() or int(after) < int(before)
