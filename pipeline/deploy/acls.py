"""ACLs: what is declared and not there yet is allowed; nothing is ever forbidden."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from access.acls import Acl
from pipeline.clients.authorizer import Authorizer
from pipeline.declared.acls import Part
from pipeline.deploy.step import Step
from pipeline.plan.acls import compare_part, missing_acls
from pipeline.plan.change import Change
from pipeline.plan.deployed import Recorded
from pipeline.waiting import wait_until

_KNOWN_SECONDS = 30.0


def deploy_acls(step: Step) -> Iterator[Change]:
    """Yield each part's change when Kafka lets it do what it needs."""
    parts = {part.name: part for part in step.project.acls}
    for change in step.changes:
        part = parts[change.name]
        _allow(step.servers.authorizer, part)
        recorded = Recorded("acls.yaml", part.model_dump_json())
        step.record.deployed(change.identity, recorded, created=change.action == "create")
        yield change


def apply_acls(authorizer: Authorizer, parts: Sequence[Part], allowed: Collection[Acl]) -> Iterator[Change]:
    """Allow what is declared, with nothing but Kafka; yield a change for each part. Raises ServerError."""
    for part in parts:
        change = compare_part(part, allowed)
        if change.changes:
            _allow(authorizer, part)
        yield change


def _allow(authorizer: Authorizer, part: Part) -> None:
    def missing() -> list[Acl]:
        return missing_acls(part, authorizer.acls() or frozenset())

    authorizer.allow(missing())
    wait_until(lambda: not missing(), awaiting=f"Kafka to know the ACLs of {part.name}", timeout_seconds=_KNOWN_SECONDS)
