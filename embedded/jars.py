"""The per-user cache of Java artifacts: downloads what is missing, verifies everything, unpacks archives."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import platformdirs
import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from embedded.artifacts import Artifact
from embedded.errors import InstallationError
from embedded.filelock import locked
from embedded.progress import DownloadProgress

_PARALLEL_DOWNLOADS = 4
_TIMEOUT_SECONDS = 60
_BYTES_NEEDED = 1_500_000_000

Fetch = Callable[[Artifact, Path, DownloadProgress], Path]
"""Downloads an artifact into a scratch directory and returns the file."""


def default_cache_dir() -> Path:
    """Return the directory that all stacks of this user share."""
    return Path(platformdirs.user_cache_dir("user-analytics-pipeline")) / "java"


def fetch_with_jgo(artifact: Artifact, scratch: Path, progress: DownloadProgress) -> Path:
    """Download one artifact from Maven Central with jgo, which knows where that is."""
    try:
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - part of an optional extra
    except ImportError as error:
        raise InstallationError("the package jgo is missing; install the extra: pip install '.[embedded]'") from error
    context = MavenContext(
        resolver=PythonResolver(progress_callback=progress.file), repo_cache=scratch, timeout=_TIMEOUT_SECONDS
    )
    component = context.project(artifact.group, artifact.name).at_version(artifact.version)
    return Path(component.artifact(artifact.classifier, artifact.packaging).resolve())


def sha256_of(path: Path) -> str:
    """Return a file's sha256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify(path: Path, artifact: Artifact) -> None:
    """Raise ``InstallationError`` unless the file has the checksum that the lock states."""
    found = sha256_of(path)
    if found != artifact.sha256:
        raise InstallationError(
            f"checksum mismatch for {artifact.filename} ({path}): expected sha256 {artifact.sha256}, found {found}; "
            "delete the file and run again, and if it happens again distrust the download"
        )


class JarCache:
    """Artifacts under one directory; a file there is complete, because it is moved in only once verified."""

    def __init__(self, directory: Path, fetch: Fetch = fetch_with_jgo) -> None:
        self._directory = directory
        self._fetch = fetch

    def path(self, artifact: Artifact) -> Path:
        """Return where the artifact is, or will be."""
        return self._directory / "artifacts" / artifact.group / artifact.filename

    def unpacked_path(self, artifact: Artifact) -> Path:
        """Return the directory of an archive's content; its name carries the checksum."""
        return self._directory / "unpacked" / f"{artifact.name}-{artifact.version}-{artifact.sha256[:12]}"

    def ensure(self, artifacts: Iterable[Artifact]) -> None:
        """Make every artifact present and verified: jars as files, ``tar.gz`` archives unpacked.

        Touches the network only for what is missing. Raises ``InstallationError``.
        """
        wanted = [artifact for artifact in dict.fromkeys(artifacts) if not self.unpacked_path(artifact).is_dir()]
        self._verify_present(wanted)
        if any(self._is_missing(artifact) for artifact in wanted):
            self._check_space()
            with locked(self._directory / "lock", "another process to finish its downloads"):
                self._download([artifact for artifact in wanted if self._is_missing(artifact)])
        for artifact in wanted:
            if artifact.packaging == "tar.gz":
                self._unpack(artifact)

    def _is_missing(self, artifact: Artifact) -> bool:
        return not self.path(artifact).exists() and not self.unpacked_path(artifact).is_dir()

    def _verify_present(self, artifacts: Sequence[Artifact]) -> None:
        with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
            list(pool.map(self._verify_if_present, artifacts))

    def _verify_if_present(self, artifact: Artifact) -> None:
        with suppress(FileNotFoundError):  # also when another process has just unpacked and deleted it
            verify(self.path(artifact), artifact)

    def _check_space(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._directory).free < _BYTES_NEEDED:
            raise InstallationError(
                f"not enough space under {self._directory}: the Java servers need 1.5 GB; free some and run again"
            )

    def _download(self, artifacts: Sequence[Artifact]) -> None:
        if not artifacts:
            return
        with (
            DownloadProgress(len(artifacts)) as progress,
            ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool,
        ):
            futures = [pool.submit(self._download_one, artifact, progress) for artifact in artifacts]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _download_one(self, artifact: Artifact, progress: DownloadProgress) -> None:
        target = self.path(artifact)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type(requests.RequestException),
                stop=stop_after_attempt(4),
                wait=wait_exponential_jitter(max=10),
                reraise=True,
            ):
                with attempt, tempfile.TemporaryDirectory(prefix=".incoming-", dir=self._directory) as scratch:
                    found = self._fetch(artifact, Path(scratch), progress)
                    verify(found, artifact)
                    found.replace(target)
        except (requests.RequestException, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise InstallationError(
                f"cannot download {artifact.coordinates}: {reason}; check the network and run again"
            ) from error
        progress.finished(artifact.filename)

    def _unpack(self, artifact: Artifact) -> None:
        target = self.unpacked_path(artifact)
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(self._directory / "lock", "another process to finish unpacking"):
            if target.is_dir():
                return
            with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=target.parent) as scratch:
                content = Path(scratch) / "content"
                with tarfile.open(self.path(artifact)) as archive:
                    archive.extractall(content, filter="data")
                content.rename(target)
        self.path(artifact).unlink()
