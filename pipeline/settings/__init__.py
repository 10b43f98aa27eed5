"""Where the servers are and what they ask of a client: profile, environment, `.env`, or the embedded stack."""

from pipeline.settings.loading import Setting, load_location, load_settings, load_stack_settings, settings_in_force
from pipeline.settings.location import LOCAL, Location
from pipeline.settings.model import Settings

__all__ = [
    "LOCAL",
    "Location",
    "Setting",
    "Settings",
    "load_location",
    "load_settings",
    "load_stack_settings",
    "settings_in_force",
]
