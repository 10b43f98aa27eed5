"""Where this machine keeps things, and which profile was chosen."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_state_path
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.errors import SettingsError

PREFIX = "PIPELINE_"
LOCAL = "local"  # the profile that is no file: the embedded stack of the state directory


class Location(BaseSettings):
    """Where the embedded stack and the project's declarations are, and the profile that names the servers."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", env_ignore_empty=True)

    state_dir: Path = Field(default_factory=lambda: user_state_path("user-analytics-pipeline"))
    project_dir: Path = Field(default_factory=Path.cwd)
    profile: str | None = None

    @property
    def environment_file(self) -> Path:
        """The addresses of the embedded stack, written by `pipeline up`."""
        return self.state_dir / "environment"

    def profile_file(self) -> Path:
        """Return the file of the chosen profile. Raises SettingsError naming the profiles that there are."""
        if self.profile == LOCAL:
            if not self.environment_file.is_file():
                message = "profile local: no embedded stack runs here. Start one with `pipeline up`."
                raise SettingsError(message)
            return self.environment_file
        names = self.profiles()
        if self.profile not in names:
            message = (
                f"there is no profile {self.profile!r}; there are: {', '.join(names)} "
                f"({self.project_dir / 'profiles'}/NAME.env, and local, the embedded stack)"
            )
            raise SettingsError(message)
        return self.project_dir / "profiles" / f"{self.profile}.env"

    def profiles(self) -> list[str]:
        """Return the names that a profile can have: the files in `profiles/`, and local."""
        return sorted({LOCAL, *(path.stem for path in (self.project_dir / "profiles").glob("*.env"))})
