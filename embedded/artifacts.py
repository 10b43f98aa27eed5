"""Maven artifacts by coordinates and checksum, and the text format of ``jars.lock``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import InstallationError

LOCK_FILE = Path(__file__).with_name("jars.lock")

_SECTION = re.compile(r"\[([a-z0-9/-]+)\]")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HEADER = """\
# Every Java artifact of the embedded servers, by class path: group:artifact:version[:packaging[:classifier]] sha256
# The class paths are what Maven resolves for org.apache.kafka:kafka_2.13, org.apache.kafka:connect-runtime (each with
# log4j-core and log4j-slf4j-impl) and io.apicurio:apicurio-registry-utils-converter; from the converter's, what the
# Connect worker itself provides is left out: a second copy in a plugin is a NoSuchMethodError in JsonConverter.
"""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of a Maven component, and the sha256 it must have (empty while a lock is being made)."""

    group: str
    name: str
    version: str
    packaging: str = "jar"
    classifier: str = ""
    sha256: str = ""

    @property
    def filename(self) -> str:
        """Return the file's name in a Maven repository."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{suffix}.{self.packaging}"

    @property
    def coordinates(self) -> str:
        """Return ``group:artifact:version[:packaging[:classifier]]``."""
        parts = [self.group, self.name, self.version]
        if self.packaging != "jar" or self.classifier:
            parts.append(self.packaging)
        if self.classifier:
            parts.append(self.classifier)
        return ":".join(parts)


def parse_coordinates(text: str, sha256: str = "") -> Artifact:
    """Read ``group:artifact:version[:packaging[:classifier]]``; raises ``ValueError`` for anything else."""
    parts = text.split(":")
    if not 3 <= len(parts) <= 5 or not all(parts):  # noqa: PLR2004
        raise ValueError(f"not coordinates: {text!r}")
    group, name, version, packaging, classifier = (parts + ["jar", ""][len(parts) - 3 :])[:5]
    return Artifact(group, name, version, packaging, classifier, sha256)


def parse_lock(text: str, source: str) -> dict[str, tuple[Artifact, ...]]:
    """Read a lock's text into artifacts by section; ``source`` names the file in errors."""
    sections: dict[str, list[Artifact]] = {}
    current: list[Artifact] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if heading := _SECTION.fullmatch(line):
            current = sections.setdefault(heading[1], [])
            continue
        coordinates, _, sha256 = line.partition(" ")
        try:
            if current is None or not _SHA256.fullmatch(sha256):
                raise ValueError(line)  # noqa: TRY301
            current.append(parse_coordinates(coordinates, sha256))
        except ValueError as error:
            raise InstallationError(
                f"{source}:{number}: expected '[section]' or 'group:artifact:version sha256'; "
                "restore the file from the repository"
            ) from error
    return {name: tuple(artifacts) for name, artifacts in sections.items()}


def format_lock(sections: Mapping[str, Sequence[Artifact]]) -> str:
    """Write artifacts by section as the text that ``parse_lock`` reads, sorted by coordinates."""
    blocks = [_HEADER]
    for name, artifacts in sections.items():
        lines = sorted(f"{artifact.coordinates} {artifact.sha256}\n" for artifact in artifacts)
        blocks.append(f"\n[{name}]\n{''.join(lines)}")
    return "".join(blocks)


def read_lock(path: Path = LOCK_FILE) -> dict[str, tuple[Artifact, ...]]:
    """Read the lock file."""
    try:
        return parse_lock(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise InstallationError(f"cannot read {path}: {error.strerror}; restore it from the repository") from error
