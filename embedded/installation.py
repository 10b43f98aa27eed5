"""Everything the servers are started from: Java, class paths, plugin directories, PostgreSQL's binaries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from embedded.artifacts import Artifact, read_lock
from embedded.jars import JarCache, default_cache_dir
from embedded.java import Java, find_java
from embedded.plugins import install_plugins

_JAVA_SERVERS = {
    "kafka": ("broker", "jmx-exporter"),
    "registry": ("registry",),
    "connect": ("connect", "ecj", "jmx-exporter"),
}


@dataclass(frozen=True, slots=True)
class Installation:
    """Paths of what was installed; the parts of servers that were not asked for are absent."""

    java: Java | None
    broker: tuple[Path, ...] = ()
    connect: tuple[Path, ...] = ()
    connect_plugins: Path | None = None
    registry: Path | None = None
    jmx_exporter: Path = Path()
    cache: Path = Path()


def install(servers: set[str], cache_dir: Path | None = None) -> Installation:
    """Download, verify, unpack and compile what the named servers need; raises ``InstallationError``."""
    directory = cache_dir or default_cache_dir()
    if not servers & _JAVA_SERVERS.keys():
        return Installation(java=None, cache=directory)
    java = find_java()
    lock = read_lock()
    sections = {section for server in servers for section in _JAVA_SERVERS.get(server, ())}
    if "connect" in servers:
        sections |= {section for section in lock if section.startswith("connect-plugins/")}
    cache = JarCache(directory)
    cache.ensure(artifact for section in sorted(sections) for artifact in lock[section])
    return Installation(
        java=java,
        broker=_class_path(cache, lock["broker"]),
        connect=_class_path(cache, lock["connect"]),
        connect_plugins=install_plugins(cache, lock, java) if "connect" in servers else None,
        registry=cache.unpacked_path(lock["registry"][0]),
        jmx_exporter=cache.path(lock["jmx-exporter"][0]),
        cache=directory,
    )


def _class_path(cache: JarCache, artifacts: tuple[Artifact, ...]) -> tuple[Path, ...]:
    return tuple(sorted(cache.path(artifact) for artifact in artifacts))
