"""The OpenSSL that ``ssl`` itself runs on, called directly, behind a guard.

``ssl`` has no way to use a private key that it is not given. OpenSSL 3 has one, an EC_KEY_METHOD
(deprecated there, and gone in OpenSSL 4), which we reach with ctypes. Everything that this leans on
is checked before the first call; where anything is not as it was verified, there is a sentence that
says what, and no call is made.

Verified: CPython 3.11, 3.12 and 3.13 with OpenSSL 3.0. Nothing of the inside of CPython's objects
is used: functions are looked up through the extension module ``_ssl``, so they are those of the
library that it is linked with, whatever other OpenSSL a process may have loaded.
"""

from __future__ import annotations

import _ssl
import platform
import ssl
import sys
import sysconfig
from ctypes import (
    CDLL,
    CFUNCTYPE,
    POINTER,
    c_char_p,
    c_int,
    c_long,
    c_size_t,
    c_uint,
    c_uint64,
    c_ulong,
    c_void_p,
)
from typing import Any, NamedTuple

from tls.signing import ExternalKeyError

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
OPENSSL_MAJOR = 3

SIGN = CFUNCTYPE(
    c_int, c_int, c_void_p, c_int, c_void_p, POINTER(c_uint), c_void_p, c_void_p, c_void_p
)
"""``sign`` of EC_KEY_METHOD_set_sign(3): type, digest and length, room for the signature in DER and
its length, two numbers that may have been computed before (never are), EC_KEY; 1 is good.
"""

FINISH = CFUNCTYPE(None, c_void_p)
"""``finish`` of EC_KEY_METHOD_set_init: the EC_KEY is being freed."""

EX_NEW = CFUNCTYPE(None, c_void_p, c_void_p, c_void_p, c_int, c_long, c_void_p)
"""``new_func`` of CRYPTO_get_ex_new_index(3): the object that was made comes first."""

_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "OpenSSL_version_num": (c_ulong, ()),
    "ERR_clear_error": (None, ()),
    "CRYPTO_get_ex_new_index": (c_int, (c_int, c_long, c_void_p, EX_NEW, c_void_p, c_void_p)),
    "CRYPTO_free_ex_index": (c_int, (c_int, c_int)),
    "EC_KEY_OpenSSL": (c_void_p, ()),
    "EC_KEY_METHOD_new": (c_void_p, (c_void_p,)),
    "EC_KEY_METHOD_set_sign": (None, (c_void_p, SIGN, c_void_p, c_void_p)),
    "EC_KEY_METHOD_set_init": (None, (c_void_p, c_void_p, FINISH, *(c_void_p,) * 4)),
    "EC_KEY_new_by_curve_name": (c_void_p, (c_int,)),
    "EC_KEY_oct2key": (c_int, (c_void_p, c_char_p, c_size_t, c_void_p)),
    "EC_KEY_set_method": (c_int, (c_void_p, c_void_p)),
    "EC_KEY_free": (None, (c_void_p,)),
    "EVP_PKEY_new": (c_void_p, ()),
    "EVP_PKEY_set1_EC_KEY": (c_int, (c_void_p, c_void_p)),
    "EVP_PKEY_free": (None, (c_void_p,)),
    "SSL_CTX_get_options": (c_uint64, (c_void_p,)),
    "SSL_CTX_use_certificate_chain_file": (c_int, (c_void_p, c_char_p)),
    "SSL_CTX_use_PrivateKey": (c_int, (c_void_p, c_void_p)),
    "SSL_CTX_check_private_key": (c_int, (c_void_p,)),
    "SSL_CTX_get0_privatekey": (c_void_p, (c_void_p,)),
}


class Platform(NamedTuple):
    """What the guard looks at. ``extension`` is the file of ``_ssl``, ``built_for`` the version
    of OpenSSL that it was compiled for, ``runs_on`` the one it found.
    """

    implementation: str
    python: tuple[int, ...]
    free_threaded: bool
    extension: str | None
    openssl: str
    runs_on: tuple[int, ...]
    built_for: tuple[int, ...]


def this_platform() -> Platform:
    return Platform(
        implementation=platform.python_implementation(),
        python=tuple(sys.version_info[:2]),
        free_threaded=bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        extension=getattr(_ssl, "__file__", None),
        openssl=ssl.OPENSSL_VERSION,
        runs_on=tuple(ssl.OPENSSL_VERSION_INFO),
        built_for=tuple(getattr(_ssl, "_OPENSSL_API_VERSION", ())),
    )


def objection(seen: Platform) -> str | None:
    """Say what is not as it was verified, or ``None``."""
    python = ".".join(map(str, seen.python))
    if seen.implementation != "CPython":
        return f"{seen.implementation} is not CPython"
    if not OLDEST_PYTHON <= seen.python[:2] <= NEWEST_PYTHON:
        oldest, newest = (".".join(map(str, one)) for one in (OLDEST_PYTHON, NEWEST_PYTHON))
        return f"Python {python} is not verified, only {oldest} to {newest}"
    if seen.free_threaded:
        return f"this Python {python} is built without the global interpreter lock"
    if not seen.extension:
        return "ssl is built into this Python, so its OpenSSL cannot be reached"
    if seen.openssl.split(" ")[0] != "OpenSSL":
        return f"ssl runs on {seen.openssl}, not on OpenSSL"
    if seen.runs_on[:1] != (OPENSSL_MAJOR,):
        return f"ssl runs on {seen.openssl}, not on OpenSSL {OPENSSL_MAJOR}"
    if seen.built_for[:1] != (OPENSSL_MAJOR,):
        version = ".".join(map(str, seen.built_for[:3])) or "an unknown version"
        return f"ssl is built for OpenSSL {version}, not for OpenSSL {OPENSSL_MAJOR}"
    return None


def library(seen: Platform) -> Any:
    """The functions of the OpenSSL that ``ssl`` runs on. :class:`ExternalKeyError` if they cannot
    be had, or if they are those of another one.
    """
    complaint = objection(seen)
    if complaint is not None:
        raise ExternalKeyError(complaint)
    try:
        found = CDLL(seen.extension)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(found, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise ExternalKeyError(f"the OpenSSL of ssl cannot be reached: {error}") from error
    number = found.OpenSSL_version_num()
    expected = ssl.OPENSSL_VERSION_NUMBER
    if number != expected:
        raise ExternalKeyError(
            f"the OpenSSL that is reached is {number:#x}, that of ssl is {expected:#x}"
        )
    return found
