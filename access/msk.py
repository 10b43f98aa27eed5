"""Tokens for Amazon MSK with IAM, signed with the credentials that the AWS SDK finds."""

from __future__ import annotations

from collections.abc import Callable

_MILLISECONDS = 1_000


def token_callback(region: str) -> Callable[[str], tuple[str, float]]:
    """Return the callback that gives librdkafka a token and when it expires (seconds since 1970)."""

    def token(_config: str) -> tuple[str, float]:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider  # noqa: PLC0415 - an optional extra, slow to import

        text, expires_ms = MSKAuthTokenProvider.generate_auth_token(region)
        return text, expires_ms / _MILLISECONDS

    return token
