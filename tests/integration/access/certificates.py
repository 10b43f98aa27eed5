"""Certificates made for one test run: an authority, and what it and a stranger have signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

HOST = "localhost"


@dataclass(frozen=True, slots=True)
class Identity:
    """The files of a certificate: its chain, its key (PKCS #8), and both in one."""

    chain: Path
    key: Path
    both: Path


class Authority:
    """An authority whose certificate is the file ``ca``."""

    def __init__(self, directory: Path, name: str) -> None:
        self._authority = trustme.CA()
        self._directory = directory / name
        self._directory.mkdir()
        self.ca = self._directory / "ca.pem"
        self._authority.cert_pem.write_to_path(self.ca)

    def issue(self, name: str, *, expired: bool = False) -> Identity:
        """Sign a certificate for this machine, one that ended yesterday if it is to be expired."""
        end = datetime.now(UTC) + timedelta(days=-1 if expired else 9)
        begin = end - timedelta(days=10)
        made = self._authority.issue_cert(HOST, "127.0.0.1", common_name=name, not_before=begin, not_after=end)
        key = load_pem_private_key(made.private_key_pem.bytes(), None)
        key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain_pem = b"".join(pem.bytes() for pem in made.cert_chain_pems)
        identity = Identity(*(self._directory / f"{name}{suffix}" for suffix in (".pem", "-key.pem", "-both.pem")))
        for path, content in (
            (identity.chain, chain_pem),
            (identity.key, key_pem),
            (identity.both, key_pem + chain_pem),
        ):
            path.touch(mode=0o600)
            path.write_bytes(content)
        return identity
