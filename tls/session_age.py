"""For how long a TLS session goes on, whatever is still open in it.

Its keys, and what was checked of the peer's certificate, are as old as the full handshake. BSI
TR-03116-3 lets a session go on for 48 h in a WAN or HAN; then all of it begins anew.
"""

from __future__ import annotations

import ssl
import time

SESSION_LIFETIME = 48 * 3600.0
"""Seconds from the full handshake (BSI TR-03116-3)."""


def session_age(ssl_object: ssl.SSLObject | ssl.SSLSocket) -> float:
    """Seconds since the full handshake of a session, which a resumption does not make younger.

    By the clock of the machine, which may be set: never less than nothing.
    """
    session = ssl_object.session
    return 0.0 if session is None else max(time.time() - session.time, 0.0)
