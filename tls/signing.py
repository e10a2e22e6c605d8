"""How an error in the use of a private key that is elsewhere gets out of a handshake.

OpenSSL calls for a signature in the middle of a handshake and learns only that there is none. What
went wrong waits here, in the thread of the handshake, until OpenSSL has given up, and then takes
the place of its less telling error.
"""

from __future__ import annotations

import ssl
import threading

_INTERRUPTIONS = (KeyboardInterrupt, SystemExit)


class ExternalKeyError(RuntimeError):
    """Private keys that are elsewhere cannot be used here; the text says why."""


class SigningError(ssl.SSLError):
    """Our own private key gave no good signature. ``__cause__`` is what whoever has it said."""


class _Handshake(threading.local):
    """What has happened in the handshake step that this thread is in."""

    used = False
    failure: BaseException | None = None


_handshake = _Handshake()


def key_used() -> None:
    """The private key has signed something."""
    _handshake.used = True


def signing_failed(failure: BaseException) -> None:
    _handshake.failure = failure


def _begin() -> None:
    """One step of a handshake begins. OpenSSL works in the thread that calls it, so what it calls
    for until the step is over is for this one.
    """
    _handshake.used, _handshake.failure = False, None


def _told() -> BaseException | None:
    """What to raise instead of what OpenSSL says, with its cause; ``None`` if OpenSSL is right."""
    failure, _handshake.failure = _handshake.failure, None
    if failure is None or isinstance(failure, _INTERRUPTIONS):
        return failure
    error = SigningError(ssl.SSL_ERROR_SSL, f"{type(failure).__name__}: {failure}")
    error.__cause__ = failure
    return error


class ExternalKeyObject(ssl.SSLObject):
    """A connection in memory. ``key_used`` is whether the private key has signed for it."""

    key_used = False

    def do_handshake(self) -> None:
        _begin()
        try:
            super().do_handshake()
        except ssl.SSLError:
            if (error := _told()) is None:
                raise
            try:
                raise error
            finally:
                del error  # or it would hold itself, by its traceback
        finally:
            self.key_used = self.key_used or _handshake.used


class ExternalKeySocket(ssl.SSLSocket):
    """The same on a socket."""

    key_used = False

    def do_handshake(self, block: bool = False) -> None:
        _begin()
        try:
            super().do_handshake(block)
        except ssl.SSLError:
            if (error := _told()) is None:
                raise
            try:
                raise error
            finally:
                del error  # as above
        finally:
            self.key_used = self.key_used or _handshake.used


class ExternalKeyContext(ssl.SSLContext):
    """A context whose private key is elsewhere."""

    sslobject_class = ExternalKeyObject
    sslsocket_class = ExternalKeySocket
