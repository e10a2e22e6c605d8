"""Puts a head end together: two parties, each with what is its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from dlms.security.counters import InvocationCounters
from emulator.custody import Custody
from emulator.head_end.handed_keys import HandedKeys
from emulator.head_end.known_keys import KnownKeys
from emulator.head_end.party import Party
from emulator.head_end.requesting import Means
from emulator.head_end.services import HeadEnd
from emulator.head_end.token_counters import TokenCounters
from emulator.modules.tls_module import TlsModule
from emulator.policy import Actor
from tls.credentials import CertificateChain, Trust


def assemble(
    custody: Callable[[Actor], Custody],
    credential: CertificateChain,
    trust: Trust,
    means: Means,
    *,
    tls_module: TlsModule | None = None,
    keylog: Path | None = None,
    counters: Callable[[], InvocationCounters] = InvocationCounters,
    tokens: TokenCounters | None = None,
    handed: Callable[[Actor], HandedKeys] = lambda actor: HandedKeys(),
    known: Callable[[Actor], KnownKeys] = lambda actor: KnownKeys(),
    associations: Mapping[Actor, str] | None = None,
) -> HeadEnd:
    """``custody`` gives each party its door to cryptography, ``credential`` is the S1SP's
    certificate: the DCO has none, and speaks through a relay. ``means`` are those of requests;
    ``counters`` makes each its counters, ``handed`` and ``known`` keep the keys that it hands over
    and rotates. ``tls_module`` has the private key of a certificate that comes without.

    ``associations`` are the rows of profiles that the parties use, where those are not called like
    them. Suite, mechanism and knobs are those of the row; the keys must be of that suite
    (:func:`~emulator.key_suites.suites_of_meters`).
    """
    s1sp, dco = (
        Party(
            actor=actor,
            credential=credential if actor is Actor.S1SP else None,
            trust=trust,
            custody=custody(actor),
            tls_module=tls_module if actor is Actor.S1SP else None,
            counters=counters(),
            handed=handed(actor),
            known=known(actor),
            association=(associations or {}).get(actor, ""),
            keylog=keylog,
        )
        for actor in (Actor.S1SP, Actor.DCO)
    )
    return HeadEnd(s1sp, dco, means, tokens)
