"""Migrations and tables: what the trial in a rolled-back transaction showed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.declared.sql import Migration, SqlFile
from pipeline.plan.change import Change, Difference, Identity
from pipeline.plan.deployed import Catalog, DeployedSql


def compare_migrations(migrations: Sequence[Migration], deployed: DeployedSql) -> Iterator[Change]:
    """Yield a change for each migration that has not run; one that was edited after it ran is refused."""
    pending = [migration for migration in migrations if migration.name not in deployed.migrations]
    last_run = max(deployed.migrations, default="")
    for migration in migrations:
        ran = deployed.migrations.get(migration.name)
        if ran is None:
            yield _pending(migration, deployed, is_first=migration is pending[0], last_run=last_run)
        elif ran != migration.sha256:
            refusal = f"{migration.path} was changed after it ran; put it back, and write a new migration"
            yield Change("migration", migration.name, "unchanged", refusal=refusal)
        else:
            yield Change("migration", migration.name, "unchanged")


def _pending(migration: Migration, deployed: DeployedSql, *, is_first: bool, last_run: str) -> Change:
    if deployed.fresh:
        words = "recorded, not run: a new database gets its tables as they are declared now"
        return Change("migration", migration.name, "create", consequences=(words,))
    refusal = deployed.refusals.get(Identity("migration", migration.name))
    if migration.name < last_run:
        refusal = f"{migration.path} sorts before {last_run}, which has run already; give it a higher number"
    changed = _items(deployed.before, deployed.migrated) if is_first else ()
    consequences = ["runs once, in a transaction; there is no way back"]
    if deployed.took_too_long:
        consequences.append("takes too long to be tried: tables stay locked meanwhile; plan again when it has run")
    return Change("migration", migration.name, "create", changed, tuple(consequences), refusal)


def compare_script(script: SqlFile, deployed: DeployedSql) -> Change:
    """Return what running a script would change, and what it declares and running it cannot bring about."""
    identity = Identity("table", script.name)
    declared = deployed.declared.get(script.name, {})
    touched = {key: value for key, value in deployed.after.items() if key in declared}
    before = {key: value for key, value in deployed.migrated.items() if key in declared}
    differences = _items(before, touched)
    refusal = deployed.refusals.get(identity)
    if refusal is None and not deployed.took_too_long:
        refusal = _unreachable(script, declared, deployed.after)
    if not differences:
        undeclared = () if refusal else tuple(_undeclared(declared, deployed))
        return Change("table", script.name, "drift" if undeclared else "unchanged", undeclared, refusal=refusal)
    exists = any(key in deployed.migrated for key in declared)
    consequences = tuple(_consequences(differences)) if exists else ()
    return Change("table", script.name, "update" if exists else "create", differences, consequences, refusal)


def _undeclared(declared: Catalog, deployed: DeployedSql) -> Iterator[Difference]:
    """Yield what a script's tables have and no script declares; an index more does no harm."""
    known = {key for catalog in deployed.declared.values() for key in catalog}
    tables = tuple(f"{key.removeprefix('table ')}." for key in declared if key.startswith("table "))
    for key in sorted(deployed.after.keys() - known):
        kind, _, name = key.partition(" ")
        if kind in {"column", "constraint", "trigger"} and name.startswith(tables):
            yield Difference(key, deployed.after[key], None)


def _items(before: Catalog, after: Catalog) -> tuple[Difference, ...]:
    return tuple(
        Difference(key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    )


def _unreachable(script: SqlFile, declared: Catalog, after: Catalog) -> str | None:
    lacking = [key for key, value in declared.items() if after.get(key) != value]
    if not lacking:
        return None
    first, more = lacking[0], f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    there = f"it is {after[first]}, declared {declared[first]}" if first in after else "it is not there"
    return (
        f"{script.path}: {first}{more}: {there}. CREATE … IF NOT EXISTS leaves what exists as it is: "
        "write sql/migrations/NNNN_what.sql"
    )


def _consequences(differences: tuple[Difference, ...]) -> Iterator[str]:
    for one in differences:
        kind, _, name = one.key.partition(" ")
        if kind == "column" and one.before is None:
            yield f"{name}: existing rows keep NULL or take its default"
        elif kind == "index" and one.before is None:
            yield f"{name}: writers wait while it is built"
