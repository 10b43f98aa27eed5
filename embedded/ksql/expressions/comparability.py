"""Which types ksqlDB compares with which, by which operators."""

from __future__ import annotations

from embedded.ksql.types import Base, SqlType

OPERATOR_NAMES = {
    "=": "EQUAL",
    "<>": "NOT_EQUAL",
    "<": "LESS_THAN",
    "<=": "LESS_THAN_OR_EQUAL",
    ">": "GREATER_THAN",
    ">=": "GREATER_THAN_OR_EQUAL",
    "IS DISTINCT FROM": "IS_DISTINCT_FROM",
    "IS NOT DISTINCT FROM": "IS_NOT_DISTINCT_FROM",
}
EQUALITY = {"=", "<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"}

_NUMBERS = {Base.INTEGER, Base.BIGINT, Base.DOUBLE, Base.DECIMAL}
_PARTNERS = {
    **dict.fromkeys(_NUMBERS, _NUMBERS),
    Base.STRING: {Base.STRING, Base.TIMESTAMP, Base.DATE, Base.TIME},
    Base.TIMESTAMP: {Base.TIMESTAMP, Base.DATE, Base.STRING},
    Base.DATE: {Base.DATE, Base.TIMESTAMP, Base.STRING},
    Base.TIME: {Base.TIME, Base.STRING},
    Base.BYTES: {Base.BYTES},
}


def comparable(left: SqlType, operator: str, right: SqlType) -> bool:
    """Whether ``left operator right`` is a comparison that ksqlDB has."""
    partners = _PARTNERS.get(left.base)
    if partners is not None:
        return right.base in partners
    return left.base is right.base and operator in EQUALITY
