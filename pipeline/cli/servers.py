"""Which servers `up` and `down` are about."""

from __future__ import annotations

from pipeline.clients.containers import Containers
from pipeline.errors import SettingsError
from pipeline.settings import LOCAL, Location, load_settings


def container_servers(location: Location) -> Containers | None:
    """Return the containers that the profile names, None for the embedded stack.

    Raises SettingsError for a profile whose servers are run by others, UnreachableError without a container engine.
    """
    if location.profile in {None, LOCAL}:
        return None
    project = load_settings(location).compose_project
    if project is None:
        message = (
            f"the servers of profile {location.profile} are not started or stopped from here: its file names no "
            "PIPELINE_COMPOSE_PROJECT. Without --profile, `up` and `down` are about the embedded stack."
        )
        raise SettingsError(message)
    return Containers(project)
