"""ACLs: what is declared and not there yet is allowed; nothing is ever forbidden."""

from __future__ import annotations

from collections.abc import Sequence

from access.acls import Acl
from pipeline.clients.authorizer import Authorizer


def deploy_acls(authorizer: Authorizer, declared: Sequence[Acl]) -> list[Acl] | None:
    """Allow what is declared; return what was missing, None where the cluster authorises nobody. Raises ServerError."""
    there = authorizer.acls()
    missing = [acl for acl in dict.fromkeys(declared) if acl not in there]
    if missing and not authorizer.allow(missing):
        return None
    return missing
