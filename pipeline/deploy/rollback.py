"""Going back: an earlier deployment's files, as they were recorded, deployed again."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import SecretStr

from pipeline.clients.postgres import connect
from pipeline.declared.files import Files
from pipeline.errors import SettingsError
from pipeline.plan import bookkeeping
from pipeline.plan.bookkeeping import Deployment


def read_deployments(dsn: SecretStr) -> list[Deployment]:
    """Return all deployments, newest first; none where nothing was ever deployed."""
    with connect(dsn) as connection:
        return bookkeeping.read_history(connection) if bookkeeping.exists(connection) else []


def choose(history: Sequence[Deployment], wanted: int | None) -> Deployment:
    """Return the wanted deployment, by default the newest that succeeded with other files than the newest of all.

    Raises SettingsError where there is none.
    """
    if wanted is not None:
        found = next((one for one in history if one.id == wanted), None)
        if found is None:
            raise SettingsError(f"there is no deployment {wanted}; `pipeline rollback --list` shows them")
        return found
    earlier = (one for one in history if one.outcome == "deployed" and one.sha256 != history[0].sha256)
    previous = next(earlier, None)
    if previous is None:
        raise SettingsError("there is no earlier deployment to go back to; `pipeline rollback --list` shows them")
    return previous


def files_of(dsn: SecretStr, deployment: Deployment) -> Files:
    """Return the declarations that a deployment deployed."""
    with connect(dsn) as connection:
        return bookkeeping.read_files_of(connection, deployment.id)
