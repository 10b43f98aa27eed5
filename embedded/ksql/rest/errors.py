"""Errors as the REST API answers them."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from embedded.ksql.errors import KsqlError

JSON = "application/json"
BAD_REQUEST = 400
NOT_FOUND = 404
NOT_ACCEPTABLE = 406


def error_document(error: KsqlError, statement_text: str = "") -> dict[str, Any]:
    """Return ksqlDB's error entity. ``statement_text`` is used where the error does not name its statement."""
    document: dict[str, Any] = {"@type": error.type, "error_code": error.error_code, "message": error.message}
    if error.type == "statement_error":
        document |= {"statementText": error.statement_text or statement_text, "entities": []}
    return document


def error_response(error: KsqlError, statement_text: str = "") -> Response:
    """Return the response for an error."""
    return JSONResponse(error_document(error, statement_text), status_code=error.status)


def generic_error(status: int, error_code: int, message: str) -> Response:
    """Return a response that is not about a statement."""
    document = {"@type": "generic_error", "error_code": error_code, "message": message}
    return JSONResponse(document, status_code=status)
