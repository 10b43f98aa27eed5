"""What can go wrong in the engine, in the shapes ksqlDB's REST API gives it."""

from __future__ import annotations


class KsqlError(Exception):
    """A request the engine refuses: HTTP ``status``, ksqlDB's ``@type``, ``error_code`` and message."""

    status = 400
    type = "generic_error"
    error_code = 40000

    def __init__(self, message: str, *, statement_text: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.statement_text = statement_text


class StatementError(KsqlError):
    """A statement that is invalid, or that this engine does not support."""

    type = "statement_error"
    error_code = 40001


class ServerError(KsqlError):
    """A statement that failed for a reason on the server's side."""

    status = 500
    type = "statement_error"
    error_code = 50000


class RecordTooLargeError(KsqlError):
    """A record of a query that Kafka takes neither now nor later."""


class TakenOverError(KsqlError):
    """Another process runs the query now; going on would end the other one's in turn."""

    def __init__(self) -> None:
        super().__init__("Another ksqlDB server with the same service id has taken over this query.")


class UnavailableError(ServerError):
    """Kafka or the Schema Registry does not answer, or not as it should; later it may."""


class UndecidedError(UnavailableError):
    """A statement of which Kafka has not said whether it took it; later it will."""


class TransactionTimedOutError(UnavailableError):
    """Kafka has ended a transaction because it took too long: the process, the machine or a broker was frozen."""
