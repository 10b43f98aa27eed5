"""Connectors: declared against what Connect runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.declared.connectors import REFERENCE, Connector, is_secret
from pipeline.plan.change import Change, Difference
from pipeline.plan.deployed import DeployedConnector

# How servers hide a secret; what is hidden cannot differ from a reference.
_MASK = re.compile(r"\*{3,}|\[hidden\]", re.IGNORECASE)
_HIDDEN = "••••••"
# Nothing of ours leaves a connector STOPPED but a command that was killed: see clients/connector_states.py.
_REST = {
    "STOPPED": "resumes it, which a deployment or restart that was cut short left STOPPED; to have it rest, pause it",
    "PAUSED": "is PAUSED, and stays so until `pipeline connectors resume {}`",
}


def compare_connector(connector: Connector, deployed: DeployedConnector | None) -> Change:
    """Return what makes a connector's configuration the declared one."""
    tasks = connector.config.get("tasks.max", "1")
    if deployed is None:
        config = sorted(connector.config.items())
        settings = tuple(Difference(key, None, _shown(key, value)) for key, value in config)
        return Change("connector", connector.name, "create", settings, (f"starts {tasks} tasks",))
    differences = tuple(_settings(connector, deployed))
    rest = _REST.get(deployed.state)
    consequences = (*_consequences(differences, tasks), *([rest.format(connector.name)] if rest else []))
    if deployed.state == "STOPPED":
        differences = (Difference("state", "STOPPED", "RUNNING"), *differences)
    return Change("connector", connector.name, "update" if differences else "unchanged", differences, consequences)


def _settings(connector: Connector, deployed: DeployedConnector) -> Iterator[Difference]:
    for key in sorted(connector.config.keys() | deployed.config.keys()):
        before, after = deployed.config.get(key), connector.config.get(key)
        if before == after:
            continue
        if after is None and (key == "name" or before == deployed.defaults.get(key)):
            continue
        if before is not None and after is not None and _MASK.fullmatch(before) and REFERENCE.search(after):
            continue
        yield Difference(key, _shown(key, before), _shown(key, after))


def _shown(key: str, value: str | None) -> str | None:
    """Return a value as it may be seen: a secret only where it is a reference."""
    if value is None or not is_secret(key) or REFERENCE.fullmatch(value):
        return value
    return _HIDDEN


def _consequences(differences: tuple[Difference, ...], tasks: str) -> Iterator[str]:
    if differences:
        yield f"restarts {tasks} tasks" if tasks != "1" else "restarts 1 task"
    for one in differences:
        if one.key == "topics":
            before, after = (set((part or "").split(",")) for part in (one.before, one.after))
            yield from (f"starts to read {topic}" for topic in sorted(after - before))
            yield from (f"no longer reads {topic}" for topic in sorted(before - after - {""}))
        elif one.key == "tasks.max":
            yield f"{one.before} → {one.after} tasks share the partitions"
