"""Connect's plugin directory: Apicurio's converter, Debezium's sink, and ours, compiled from source, beside them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded.artifacts import Artifact
from embedded.errors import InstallationError
from embedded.filelock import locked
from embedded.jars import JarCache
from embedded.java import Java

SINK_SOURCES = Path(__file__).parents[1] / "connectors"
"""One directory of Java sources for each jar, named as the jar; built by name, so one may use those before it."""

# Beside what they delegate to: a class loader sees one plugin's directory only.
_DEFAULT_PLUGIN = "debezium-jdbc"
_PLUGINS = {"registry-converter": "apicurio-converter"}

_OTHER_DATABASES = ("ojdbc", "mssql-jdbc", "mysql-connector", "mariadb-java-client")

# A second copy of what the worker provides, in a plugin's class loader, is a NoSuchMethodError in JsonConverter.
PROVIDED_BY_WORKER = ("connect-", "kafka-clients", "slf4j", "zstd", "snappy", "lz4")


def copy_for_image(target: Path, plugins: Path, jmx_exporter: Path) -> None:
    """Copy what an image of Connect needs beside Kafka's own jars: the plugins, and the JMX exporter."""
    shutil.copytree(plugins, target / "plugins", dirs_exist_ok=True)
    shutil.copyfile(jmx_exporter, target / "jmx_prometheus_javaagent.jar")


def install_plugins(
    cache: JarCache, lock: Mapping[str, Sequence[Artifact]], java: Java, sources: Path = SINK_SOURCES
) -> Path:
    """Return a directory to use as ``plugin.path``, with one directory of jars per plugin.

    Its name carries a digest of all that it is built from, and of how, so it is built once for each content.
    """
    sections = {name: artifacts for name, artifacts in lock.items() if name.startswith("connect-plugins/")}
    built_with = {name: lock[name] for name in ("connect", "ecj")}
    parent = cache.path(lock["ecj"][0]).parents[2] / "connect-plugins"
    parent.mkdir(parents=True, exist_ok=True)
    target = parent / _digest({**sections, **built_with}, sources)
    with locked(parent / "lock", "another process to build the Connect plugins"):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(prefix=".building-", dir=parent) as scratch:
                content = Path(scratch) / "content"
                _link_jars(content, sections, cache)
                _build_ours(content, lock, cache, java, sources)
                content.rename(target)
    return target


def _digest(sections: Mapping[str, Sequence[Artifact]], sources: Path) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name in sorted(sections):
        digest.update(f"{name}{[artifact.sha256 for artifact in sections[name]]}".encode())
    for path in (path for directory in _source_directories(sources) for path in _source_files(directory)):
        digest.update(f"{path.relative_to(sources)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _source_directories(sources: Path) -> list[Path]:
    return sorted(path.parent for path in sources.glob("*/src"))


def _source_files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())


def _link_jars(content: Path, sections: Mapping[str, Sequence[Artifact]], cache: JarCache) -> None:
    for name, artifacts in sections.items():
        directory = content / Path(name).name
        directory.mkdir(parents=True)
        for artifact in artifacts:
            unpacked = cache.unpacked_path(artifact)
            jars = sorted(unpacked.rglob("*.jar")) if unpacked.is_dir() else [cache.path(artifact)]
            for jar in jars:
                if not jar.name.startswith((*PROVIDED_BY_WORKER, *_OTHER_DATABASES)):
                    _link(jar, directory / jar.name)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _build_ours(
    content: Path, lock: Mapping[str, Sequence[Artifact]], cache: JarCache, java: Java, sources: Path
) -> None:
    """Compile our sinks and our converter into the directories of the plugins that they delegate to."""
    for directory in _source_directories(sources):
        plugin = content / _PLUGINS.get(directory.name, _DEFAULT_PLUGIN)
        class_path = [*(cache.path(artifact) for artifact in lock["connect"]), *plugin.glob("*.jar")]
        files = [path for path in _source_files(directory) if "test" not in path.relative_to(directory).parts]
        with tempfile.TemporaryDirectory(dir=content.parent) as scratch:
            java_files = [path for path in files if path.suffix == ".java"]
            _compile(java, cache.path(lock["ecj"][0]), class_path, java_files, Path(scratch))
            _pack(plugin / f"{directory.name}.jar", Path(scratch), directory, files)


def _pack(target: Path, classes: Path, directory: Path, files: Sequence[Path]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as jar:
        for path in sorted(classes.rglob("*.class")):
            jar.write(path, path.relative_to(classes))
        for path in files:
            if path.suffix != ".java" and "resources" in path.relative_to(directory).parts:
                jar.write(path, _resource_name(path, directory))


def _resource_name(path: Path, sources: Path) -> str:
    """Return the entry's name for a file below a directory called ``resources``."""
    parts = path.relative_to(sources).parts
    return "/".join(parts[parts.index("resources") + 1 :])


def _compile(java: Java, ecj: Path, class_path: Sequence[Path], files: Sequence[Path], output: Path) -> None:
    arguments = [java.executable, "-jar", ecj, "-17", "-proc:none", "-encoding", "UTF-8", "-nowarn", "-d", output]
    arguments += ["-cp", os.pathsep.join(map(str, class_path)), *files]
    result = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, check=False, timeout=300)
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip()
        raise InstallationError(f"the Connect plugin in {files[0].parent} does not compile:\n{lines}")
