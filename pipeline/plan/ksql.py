"""ksqlDB's streams and tables: declared against the server's, and which must be built anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.declared.avro_columns import avro_columns
from pipeline.declared.ksql import KsqlObject, parse_ksql
from pipeline.errors import DeclarationError
from pipeline.plan.change import Change, Difference, compare_mappings
from pipeline.plan.deployed import DeployedKsql, Recorded


def compare_ksql(declared: KsqlObject, deployed: DeployedKsql | None, recorded: Recorded | None) -> Change:
    """Return what makes one stream or table the declared one.

    What is deployed is known by the file that was deployed last, as long as the server still renders the object as it
    did then; the server's own rendering cannot be compared with a file.
    """
    if deployed is None:
        return Change("ksql", declared.name, "create", compare_mappings({}, declared.parts))
    before = _last(recorded, deployed)
    if before is None:
        words = "it was made or changed by somebody else, and is replaced in place"
        other = Difference("statement", deployed.statement, declared.statement)
        return Change("ksql", declared.name, "update", (other,), (words,), _kind(declared, deployed))
    if before.meaning == declared.meaning:
        return Change("ksql", declared.name, "unchanged")
    differences = compare_mappings(before.parts, declared.parts)
    refusal = _kind(declared, deployed) or _source(before, declared)
    words = "replaced in place: its state stays, so rows change at their next record; --rebuild computes all anew"
    return Change("ksql", declared.name, "update", differences, (words,), refusal)


def take_new_fields(
    change: Change, declared: KsqlObject, deployed: DeployedKsql | None, schema: Mapping[str, Any]
) -> Change:
    """Return an unchanged source as one to replace, if it takes its columns from the registry and lacks some.

    ``schema`` is what the registry will hold. A column that it has no longer stays, and is NULL in new records.
    """
    definition = declared.definition
    infers = definition.query is None and all(column.key for column in definition.columns)
    if change.action != "unchanged" or deployed is None or not infers:
        return change
    before = dict(deployed.columns)
    after = {one.name.upper(): one.type for one in avro_columns(schema)}
    differences = tuple(
        Difference(f"column {name}", before.get(name), kind)
        for name, kind in after.items()
        if kind and kind != before.get(name)
    )
    if not differences:
        return change
    words = f"replaced in place: takes the new fields of topic {definition.topic} from the registry"
    comes_last = [*after][: len(before)] == [*before] and all(one.before is None for one in differences)
    refusal = None if comes_last else _only_at_the_end(declared.name)
    return replace(change, action="update", differences=differences, consequences=(words,), refusal=refusal)


def _last(recorded: Recorded | None, deployed: DeployedKsql) -> KsqlObject | None:
    if recorded is None or recorded.observed not in {None, deployed.statement}:
        return None
    try:
        return parse_ksql(Path(recorded.path), recorded.content)
    except DeclarationError:
        return None


def _kind(declared: KsqlObject, deployed: DeployedKsql) -> str | None:
    if declared.kind == deployed.kind:
        return None
    return f"Cannot upgrade data source: {declared.name} is a {deployed.kind}, {declared.path} makes a {declared.kind}"


def _source(before: KsqlObject, after: KsqlObject) -> str | None:
    """Say why ksqlDB would not replace a source that has no query, which EXPLAIN cannot try: columns only come last."""
    old, new = before.definition, after.definition
    if old.query is not None or new.query is not None:
        return None
    kept = new.columns[: len(old.columns)]
    same = [(c.name, c.type, c.key) for c in kept] == [(c.name, c.type, c.key) for c in old.columns]
    if same and old.topic == new.topic:
        return None
    return _only_at_the_end(after.name)


def _only_at_the_end(name: str) -> str:
    return f"Cannot upgrade data source: {name} may only gain columns at its end, and keeps its topic"


def needs_rebuild(refusal: str | None) -> bool:
    """Whether a refusal says that an object cannot be replaced in place, though its statement is sound."""
    return refusal is not None and ("not upgradeable" in refusal or "Cannot upgrade" in refusal)


def affected(names: set[str], objects: Sequence[KsqlObject]) -> list[KsqlObject]:
    """Return the named objects and all that read them, by name or by topic, in the files' order."""
    found: dict[str, KsqlObject] = {}
    topics: set[str] = set()
    for one in objects:
        query = one.definition.query
        reads = bool(query and found.keys() & set(query.sources)) or (query is None and one.definition.topic in topics)
        if one.name in names or reads:
            found[one.name] = one
            if query is not None:
                topics.add(one.definition.topic)
    return list(found.values())


def plan_rebuilds(
    changes: Sequence[Change], objects: Sequence[KsqlObject], records: Mapping[str, int], *, rebuild: bool
) -> Iterator[Change]:
    """Yield the changes, with what cannot be replaced in place, and all that reads it, as one to build anew.

    ``records`` is how many records each topic holds. Without ``rebuild`` it stays refused, with how to go on.
    """
    declared = {one.name: one for one in objects}
    stuck = {
        change.name
        for change in changes
        if needs_rebuild(change.refusal)
        or (rebuild and change.action == "update" and change.refusal is None and declared[change.name].definition.query)
    }
    anew = {one.name: one for one in affected(stuck, objects)}
    read = {
        name: sum(
            records.get(declared[source].definition.topic, 0)
            for source in one.definition.query.sources
            if source in declared
        )
        for name, one in anew.items()
        if one.definition.query
    }
    for change in changes:
        if change.name not in anew or change.action == "create":
            yield change
        elif not rebuild:
            reason = change.refusal and f"{_brief(change.refusal)}. With --rebuild it is built anew."
            yield Change("ksql", change.name, change.action, change.differences, change.consequences, reason)
        else:
            words = tuple(_rebuilding(anew[change.name], read.get(change.name, 0)))
            yield Change("ksql", change.name, "rebuild", change.differences, words)


def _brief(refusal: str) -> str:
    """Return ksqlDB's reason without the two schemas that it quotes in full."""
    head, _, tail = refusal.splitlines()[0].partition(" which is not upgradeable to ")
    return f"{head.partition(' = ')[0]} that cannot become another{tail[tail.find(' (') :]}" if tail else head


def _rebuilding(declared: KsqlObject, records: int) -> Iterator[str]:
    if declared.definition.query is None:
        yield "declared again over the new topic"
        return
    yield (
        f"rebuilds {declared.name.lower()} from offset 0, about {records:,} records: beside the old one first, then "
        f"under its own name; topic {declared.definition.topic} is replaced"
    )
    yield "sinks are switched over in between: their tables are never empty; rows that it no longer yields stay"
