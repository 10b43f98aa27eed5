"""ACLs: what each part needs against what Kafka allows. Nothing is ever taken away."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from access.acls import Acl, Resource
from pipeline.declared.acls import Part
from pipeline.declared.files import ACLS
from pipeline.plan.change import Change, Difference
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
    is_new = len(missing) == len(part.acls())
    differences = tuple(_differences(part.acls(), missing))
    return Change("acl", part.name, "create" if is_new else "update", differences, tuple(_sentences(missing)))


def missing_acls(part: Part, allowed: Collection[Acl]) -> list[Acl]:
    """Return what of a part's needs is not allowed, neither as it stands nor by something broader."""
    return [acl for acl in part.acls() if acl not in allowed and not any(one.covers(acl) for one in allowed)]


def _differences(declared: Sequence[Acl], missing: Collection[Acl]) -> Iterator[Difference]:
    """Yield the operations that each resource lacks, among those that it is declared to allow."""
    for where in dict.fromkeys(acl.where for acl in missing):
        wanted = [acl for acl in declared if acl.where == where]
        before = [acl.operation for acl in wanted if acl not in missing]
        after = [acl.operation for acl in wanted]
        yield Difference(where, ", ".join(before) or None, ", ".join(after))


def _sentences(missing: Sequence[Acl]) -> Iterator[str]:
    """Say what will be allowed, one sentence for all resources of a kind that share their operations."""
    operations: dict[tuple[str, Resource, str], list[str]] = {}
    for acl in missing:
        operations.setdefault((acl.principal, acl.resource, acl.pattern), []).append(acl.operation)
    names: dict[tuple[str, str, Resource], list[str]] = {}
    for (principal, resource, name), may in operations.items():
        names.setdefault((principal, ", ".join(may), resource), []).append(name)
    for (principal, can, resource), listed in names.items():
        where = "the cluster" if resource == "cluster" else f"{resource.replace('_', ' ')}s {', '.join(listed)}"
        yield f"{principal} may {can} on {where}"
