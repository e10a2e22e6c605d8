"""What may go wrong with a token."""

from __future__ import annotations

from dlms.security.ops import KeyUnavailable, OperationRefused


class TokenUnavailable(KeyUnavailable):
    """The token, or the session with it, is not there. The text names the token; the next operation
    tries to connect again.
    """


class TokenCannot(OperationRefused):
    """The token lacks what the operation needs. Nothing else does it instead."""
