"""What the device declares of its TLS, and what it does not.

Settings of a declaration, lists with commas or spaces: ``tls.suites``, ``tls.curves``,
``tls.signatures``, ``tls.signatures-cert``. Names are those of IANA, or what OpenSSL calls suites
and curves. The order of ``tls.suites`` is that of their strength, the strongest first. Where a
device that is a client offers others than it takes as a server, ``tls.client.suites`` and so on say
what it offers.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from tlslite.constants import CipherSuite, GroupName, SignatureScheme

from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.trying.trial import Trial

Scheme = tuple[int, int]

_SSL_2 = 0x10000
"""Numbers of three octets are suites of SSL 2, which no ClientHello of TLS can have."""

SIGNALS = frozenset({0x00FF, 0x5600})
"""TLS_EMPTY_RENEGOTIATION_INFO_SCSV and TLS_FALLBACK_SCSV are no suites."""

SUITES: Mapping[str, int] = {
    name: number
    for number, name in CipherSuite.ietfNames.items()
    if number < _SSL_2 and number not in SIGNALS
}
_TLS_1_3_SUITES = range(0x1300, 0x1400)

CURVES: Mapping[str, int] = {
    name: getattr(GroupName, name)
    for name in (
        "secp256r1", "secp384r1", "secp521r1", "secp224r1", "secp192r1", "secp256k1",
        "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1", "x25519", "x448",
    )
}  # fmt: skip

SCHEMES: Mapping[str, Scheme] = {
    name: value
    for name, value in vars(SignatureScheme).items()
    if isinstance(value, tuple) and len(value) == 2
}

WEAK: tuple[Scheme, ...] = ((2, 3), (2, 1), (2, 2), (1, 1))
"""SHA-1 with ECDSA, RSA and DSA, MD5 with RSA (RFC 9155)."""

VERSIONS: Mapping[str, tuple[int, int]] = {
    "1.0": (3, 1),
    "1.1": (3, 2),
    "1.2": (3, 3),
    "1.3": (3, 4),
}


_AS_CLIENT = "tls-server"
"""Where checks start from in which the device is the client of a server of ours."""

_ALIASES = {"prime256v1": "secp256r1", "P-256": "secp256r1", "P-384": "secp384r1",
            "P-521": "secp521r1"}  # fmt: skip


@cache
def _by_openssl() -> Mapping[str, int]:
    """Numbers of suites by OpenSSL's names for them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    return {suite["name"]: suite["id"] & 0xFFFF for suite in context.get_ciphers()}


def _declared(trial: Trial, setting: str, known: Mapping[str, Any], what: str) -> tuple[Any, ...]:
    settings = trial.declaration.settings
    text = settings.get(setting, "")
    if trial.check.start == _AS_CLIENT:
        text = settings.get(setting.replace("tls.", "tls.client."), text)
    names = [_ALIASES.get(name, name) for name in text.replace(",", " ").split()]
    if not names:
        raise Unjudged(f"the declaration does not say which {what} there are: {setting}")
    if unknown := [name for name in names if name not in known]:
        raise Unjudged(f"{setting} has {what} that are not known here: {', '.join(unknown)}")
    return tuple(known[name] for name in names)


def suites(trial: Trial) -> tuple[int, ...]:
    return _declared(trial, "tls.suites", {**_by_openssl(), **SUITES}, "suites")


def curves(trial: Trial) -> tuple[int, ...]:
    return _declared(trial, "tls.curves", CURVES, "curves")


def signatures(trial: Trial, setting: str = "tls.signatures") -> tuple[Scheme, ...]:
    return _declared(trial, setting, SCHEMES, "signature algorithms")


def versions(trial: Trial) -> tuple[tuple[int, int], ...]:
    """Those whose features are up."""
    features = trial.declaration.features
    return tuple(VERSIONS[name] for name in ("1.2", "1.3") if features.get(f"tls.{name}"))


def undeclared_suites(trial: Trial) -> tuple[int, ...]:
    """All others that we know of TLS 1.2 and before, null and anonymous ones as well."""
    declared = suites(trial)
    others = (one for one in SUITES.values() if one not in declared)
    return tuple(sorted(one for one in others if one not in _TLS_1_3_SUITES))


def undeclared_curves(trial: Trial) -> tuple[int, ...]:
    declared = curves(trial)
    return tuple(one for one in CURVES.values() if one not in declared)


def undeclared_versions(trial: Trial) -> tuple[tuple[int, int], ...]:
    declared = versions(trial)
    return tuple(one for one in VERSIONS.values() if one not in declared)


def name_of_version(version: tuple[int, int]) -> str:
    return next(name for name, one in VERSIONS.items() if one == version)


def named(known: Mapping[str, Any], values: Iterable[Any]) -> str:
    """For people."""
    back = {value: name for name, value in known.items()}
    return ", ".join(str(back.get(value, value)) for value in values) or "none"
