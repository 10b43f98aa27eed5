"""One step of a deployment: what is to be done to the objects of one kind, and with what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from pipeline.declared.project import Project
from pipeline.deploy.record import Record
from pipeline.plan.change import Change
from pipeline.plan.servers import Servers


@dataclass(frozen=True, slots=True)
class Step:
    """Changes of one kind; ``timeout_seconds`` is how long each may take to become healthy."""

    changes: Sequence[Change]
    project: Project
    servers: Servers
    connection: psycopg.Connection
    record: Record
    timeout_seconds: float
