"""ACLs: what each part needs against what Kafka allows. Nothing is ever taken away."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from access.acls import Acl, Resource
from pipeline.declared.acls import Part
from pipeline.declared.files import ACLS
from pipeline.plan.change import Action, Change
from pipeline.plan.deployed import DeployedAcls


def compare_acls(parts: Sequence[Part], deployed: DeployedAcls) -> Iterator[Change]:
    """Yield a change for each part; a single one where we may not see what is there."""
    if deployed.unknown is not None:
        reason = f"{deployed.unknown}. Whether all is there tells `pipeline acls list` to somebody who may see it."
        yield Change("acl", ACLS.name, "unknown", consequences=(reason,))
        return
    for part in parts:
        yield compare_part(part, deployed.allowed)


def compare_part(part: Part, allowed: Collection[Acl]) -> Change:
    """Return what lets a part do what it is declared to need."""
    missing = missing_acls(part, allowed)
    if not missing:
        return Change("acl", part.name, "unchanged")
    action: Action = "create" if len(missing) == len(part.acls()) else "update"
    return Change("acl", part.name, action, consequences=tuple(_sentences(part.principal, missing)))


def missing_acls(part: Part, allowed: Collection[Acl]) -> list[Acl]:
    """Return what of a part's needs is not allowed, neither as it stands nor by something broader."""
    return [acl for acl in part.acls() if acl not in allowed and not any(one.covers(acl) for one in allowed)]


def _sentences(principal: str, missing: Sequence[Acl]) -> Iterator[str]:
    """Say what will be allowed, one sentence for all resources of a kind that lack the same operations."""
    lacking: dict[tuple[Resource, str], list[str]] = {}
    for acl in missing:
        lacking.setdefault((acl.resource, acl.pattern), []).append(acl.operation)
    names: dict[tuple[Resource, str], list[str]] = {}
    for (resource, name), operations in lacking.items():
        names.setdefault((resource, ", ".join(operations)), []).append(name)
    for (resource, may), listed in names.items():
        where = "the cluster" if resource == "cluster" else f"{resource.replace('_', ' ')}s {', '.join(listed)}"
        yield f"allows {principal} {may} on {where}"
