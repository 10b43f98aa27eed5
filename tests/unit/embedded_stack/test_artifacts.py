from __future__ import annotations

import hashlib
import io
import tarfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.artifacts import Artifact, format_lock, parse_coordinates, parse_lock, read_lock
from embedded.errors import InstallationError
from embedded.jars import JarCache
from embedded.java import Java
from embedded.plugins import install_plugins
from embedded.progress import DownloadProgress

CONTENT = b"the jar"
JAR = Artifact("group", "name", "1.0", sha256=hashlib.sha256(CONTENT).hexdigest())

names = st.text("abcdefghij.-_0123456789", min_size=1, max_size=8)
artifacts = st.builds(
    Artifact, names, names, names, st.sampled_from(["jar", "tar.gz"]), st.sampled_from(["", "all"]), st.just("a" * 64)
)


@given(st.dictionaries(st.text("abc-/", min_size=1, max_size=5), st.lists(artifacts, max_size=5).map(tuple)))
def test_a_lock_reads_back_as_it_was_written(sections: dict[str, tuple[Artifact, ...]]) -> None:
    read = parse_lock(format_lock(sections), "jars.lock")
    assert {name: set(items) for name, items in read.items()} == {name: set(items) for name, items in sections.items()}


def test_the_committed_lock_has_every_class_path_and_no_address() -> None:
    lock = read_lock()
    assert set(lock) == {
        "broker",
        "connect",
        "jmx-exporter",
        "connect-plugins/apicurio-converter",
        "connect-plugins/debezium-jdbc",
        "registry",
        "ecj",
    }
    assert {artifact.version for artifact in lock["broker"] if artifact.name.startswith("kafka")} == {"4.3.1"}
    assert "://" not in format_lock(lock)


@pytest.mark.parametrize("line", ["group:name:1 abc", "group:name " + "a" * 64, "nonsense"])
def test_a_line_that_is_no_artifact_is_named(line: str) -> None:
    with pytest.raises(InstallationError, match=r"jars\.lock:2: expected"):
        parse_lock(f"[broker]\n{line}\n", "jars.lock")


def test_coordinates_are_read_with_packaging_and_classifier() -> None:
    assert parse_coordinates("g:a:1") == Artifact("g", "a", "1")
    assert parse_coordinates("g:a:1:tar.gz:all") == Artifact("g", "a", "1", "tar.gz", "all")


class Repository:
    """Serves one content for every artifact and remembers what was asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked: list[Artifact] = []

    def fetch(self, artifact: Artifact, scratch: Path, _progress: DownloadProgress) -> Path:
        self.asked.append(artifact)
        path = scratch / artifact.filename
        path.write_bytes(self.content)
        return path


def test_what_was_downloaded_once_is_not_downloaded_again(tmp_path: Path) -> None:
    repository = Repository(CONTENT)
    for _ in range(2):
        cache = JarCache(tmp_path, repository.fetch)
        cache.ensure([JAR])
    assert cache.path(JAR).read_bytes() == CONTENT
    assert repository.asked == [JAR]


def test_a_wrong_checksum_names_the_file_and_keeps_nothing(tmp_path: Path) -> None:
    cache = JarCache(tmp_path, Repository(b"another jar").fetch)
    with pytest.raises(InstallationError, match=r"checksum mismatch for name-1\.0\.jar .*expected sha256 .*, found "):
        cache.ensure([JAR])
    assert not cache.path(JAR).exists()


def test_a_cached_file_that_was_damaged_is_noticed(tmp_path: Path) -> None:
    cache = JarCache(tmp_path, Repository(CONTENT).fetch)
    cache.ensure([JAR])
    cache.path(JAR).write_bytes(b"damaged")
    with pytest.raises(InstallationError, match="delete the file and run again"):
        cache.ensure([JAR])


def an_archive() -> tuple[Artifact, Repository]:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("inside.txt")
        entry.size = 2
        archive.addfile(entry, io.BytesIO(b"hi"))
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    return replace(JAR, packaging="tar.gz", sha256=digest), Repository(packed.getvalue())


def test_of_two_that_need_an_archive_at_once_one_downloads_it(tmp_path: Path) -> None:
    artifact, repository = an_archive()
    with ThreadPoolExecutor() as others:
        waiting: list[Future[None]] = []

        def fetch(wanted: Artifact, scratch: Path, progress: DownloadProgress) -> Path:
            waiting.append(others.submit(JarCache(tmp_path, repository.fetch).ensure, [wanted]))
            return repository.fetch(wanted, scratch, progress)

        JarCache(tmp_path, fetch).ensure([artifact])
        for other in waiting:
            other.result(30)
    assert repository.asked == [artifact]


def test_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    artifact, repository = an_archive()
    for _ in range(2):
        cache = JarCache(tmp_path, repository.fetch)
        cache.ensure([artifact])
    assert (cache.unpacked_path(artifact) / "inside.txt").read_text(encoding="utf-8") == "hi"
    assert repository.asked == [artifact]


@pytest.mark.parametrize("section", ["connect", "connect-plugins/debezium-jdbc", "ecj"])
def test_plugins_are_built_anew_when_anything_changes_that_they_are_built_with(tmp_path: Path, section: str) -> None:
    cache = JarCache(tmp_path, Repository(CONTENT).fetch)
    newer = replace(JAR, version="2.0", sha256=hashlib.sha256(b"newer").hexdigest())
    cache.ensure([JAR])
    cache.path(newer).write_bytes(b"newer")
    lock = {"connect": (JAR,), "connect-plugins/debezium-jdbc": (JAR,), "ecj": (JAR,)}
    first, again, other = (
        install_plugins(cache, built_with, Java(Path("java"), 21), sources=tmp_path / "none")
        for built_with in (lock, lock, lock | {section: (newer,)})
    )
    assert first == again != other
