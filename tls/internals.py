"""A guard: the parts of asyncio that :mod:`tls.channel` leans on are not public.

asyncio gives no public way to learn of a failed handshake on the server side, and does not send the
alert. The remedy overrides a few methods of ``asyncio.sslproto.SSLProtocol``. On a Python whose
SSLProtocol differs it must fail at once and say so, not lose alerts in silence.
"""

from __future__ import annotations

import asyncio
import inspect
import platform
from asyncio import base_events, sslproto

_METHODS = {
    "_on_handshake_complete": ("self", "handshake_exc"),
    "_check_handshake_timeout": ("self",),
    "_fatal_error": ("self", "exc", "message"),
    "_process_outgoing": ("self",),
    "connection_made": ("self", "transport"),
    "connection_lost": ("self", "exc"),
    "get_buffer": ("self", "n"),
}
_INIT = (
    "self",
    "loop",
    "app_protocol",
    "sslcontext",
    "waiter",
    "server_side",
    "server_hostname",
    "call_connection_made",
    "ssl_handshake_timeout",
    "ssl_shutdown_timeout",
)
_ATTRIBUTES = ("_app_transport", "_loop", "_outgoing", "_sslobj", "_ssl_buffer")


def check_internals(protocol: type[object] = sslproto.SSLProtocol) -> None:
    """Raise ``RuntimeError``, naming the Python, unless ``protocol`` is as we know it.

    Known: CPython 3.11, 3.12 and 3.13.
    """
    problems = [
        name
        for name, parameters in {**_METHODS, "__init__": _INIT}.items()
        if _parameters(protocol, name) != parameters
    ]
    if not isinstance(getattr(protocol, "max_size", None), int):
        problems.append("max_size")
    code = getattr(protocol.__init__, "__code__", None)
    assigned = () if code is None else code.co_names
    problems += [name for name in _ATTRIBUTES if name not in assigned]
    if problems:
        raise RuntimeError(
            f"asyncio of {platform.python_implementation()} {platform.python_version()} is not "
            f"known to this package: SSLProtocol differs in {', '.join(problems)}"
        )


def check_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Raise ``RuntimeError`` unless ``loop`` is one of asyncio's own.

    Others bring their own TLS, which loses alerts in its own way (and was measured to be slower).
    """
    if not isinstance(loop, base_events.BaseEventLoop):
        raise RuntimeError(f"TLS needs an event loop of asyncio, not {type(loop).__module__}")


def _parameters(owner: type[object], name: str) -> tuple[str, ...]:
    method = getattr(owner, name, None)
    return tuple(inspect.signature(method).parameters) if callable(method) else ()


check_internals()
