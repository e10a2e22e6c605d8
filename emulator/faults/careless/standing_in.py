"""Puts careless stacks in the place of a meter's TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from cryptography import x509

from emulator.faults.careless.client import CarelessClient
from emulator.faults.careless.connection import Examine
from emulator.faults.careless.examining import complaints
from emulator.faults.careless.server import CarelessServer
from emulator.faults.presented import Presented
from emulator.serving.calling import Dial
from tls.certificates import make_crl, name_of

_ANY = "any-"
REVOKED = "revoked"
"""Common name of certificates that the laboratory's list has, where there is one."""


def as_server(presented: Presented, flaws: frozenset[str]) -> Callable[[], asyncio.Protocol]:
    examine = _examine(presented, flaws, server=False)
    return CarelessServer(presented, flaws, examine)


def as_client(presented: Presented, flaws: frozenset[str]) -> Dial:
    return CarelessClient(presented, flaws, _examine(presented, flaws, server=True))


def _examine(presented: Presented, flaws: frozenset[str], *, server: bool) -> Examine:
    but = frozenset(flaw.removeprefix(_ANY) for flaw in flaws if flaw.startswith(_ANY))

    def examine(shown: tuple[bytes, ...]) -> str:
        if not shown and "no-psk" in flaws:
            return ""
        trust = presented.trust
        if "lists" in flaws:
            trust = replace(trust, crl_pem=_listing(presented, shown))
        return ", ".join(complaints(shown, trust, server=server, but=but))

    return examine


def _listing(presented: Presented, shown: tuple[bytes, ...]) -> bytes:
    """The issuing authority's list of today: it has revoked whoever has the common name for it."""
    pki = presented.pki
    leaves = [x509.load_der_x509_certificate(der) for der in shown[:1]]
    serials = [leaf.serial_number for leaf in leaves if leaf.subject == name_of(REVOKED)]
    begun = pki.issuing.certificate.not_valid_before_utc
    until = pki.issuing.certificate.not_valid_after_utc
    return make_crl(pki.issuing, serials, number=1, this_update=begun, next_update=until)
