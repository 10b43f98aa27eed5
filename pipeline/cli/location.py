"""Where things are, as the options of the group and the environment say."""

from __future__ import annotations

import click

from pipeline.settings import Location, load_location


def location_of(context: click.Context) -> Location:
    """Return the location of a command line; also while the shell completes one, when no command runs."""
    given = context.find_root().params
    chosen = {name: given[name] for name in Location.model_fields if given.get(name) is not None}
    return load_location().model_copy(update=chosen)
