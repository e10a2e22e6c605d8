"""What is made once for a test session: certificates, their files, and profiles.

Nothing of it ever changes, so that tests cannot disturb each other by it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from devices.profile import Profile, ProfileError, available
from emulator import profiles
from emulator.head_end.party import ASSOCIATIONS, TITLES
from emulator.policy import Actor
from emulator.pytest_plugin.misuse import misused
from tls.contexts import client_context
from tls.credentials import Credential
from tls.pki import TestPki

ROOT = "root.pem"


class TlsFiles(NamedTuple):
    """PEM files: whom to believe, and one's own chain and private key."""

    ca: Path
    certificate: Path
    key: Path


class Site:
    """``folder`` becomes a directory that only its owner may read."""

    def __init__(self, folder: Path) -> None:
        self.pki = TestPki.create(now=dt.datetime.now(dt.UTC))
        self._folder = folder
        self._profiles: dict[str, Profile] = {}
        self.credentials: dict[Actor, Credential] = {}
        for actor in ASSOCIATIONS.values():
            credential = self.pki.issue_client(TITLES[actor], actor.value)
            credential.save(folder, actor.value.lower())
            self.credentials[actor] = credential
        (folder / ROOT).write_bytes(self.pki.trust().roots_pem)

    def tls_files(self, party: str) -> TlsFiles:
        """Of the party whose association is called so. ``ValueError`` if no party's is."""
        name = self._actor(party).value.lower()
        folder = self._folder
        return TlsFiles(folder / ROOT, folder / f"{name}.pem", folder / f"{name}.key")

    def tls_context(self, party: str) -> ssl.SSLContext:
        """What that party connects to the TLS port of a meter with."""
        return client_context(self.credentials[self._actor(party)], self.pki.trust())

    def profile(self, wanted: object) -> Profile:
        """By its name, the path of its file, or itself. The test fails if there is none,
        with the reason.
        """
        if isinstance(wanted, Profile):
            return wanted
        name = str(wanted)
        if name not in self._profiles:
            profiles.use_plugins()
            try:
                self._profiles[name] = profiles.load(name)
            except ProfileError as error:
                raise misused(f"cosemlab: profile {name!r}: {error}") from None
        return self._profiles[name]

    def usual(self) -> tuple[Profile, ...]:
        """The manufacturers' electricity meters."""
        return tuple(self.profile(name) for name in available())

    @staticmethod
    def _actor(party: str) -> Actor:
        if party not in ASSOCIATIONS:
            raise ValueError(f"{party!r} is no party with a certificate: {', '.join(ASSOCIATIONS)}")
        return ASSOCIATIONS[party]


def renamed(profile: Profile, number: int) -> Profile:
    """The same model as one meter of several."""
    return replace(profile, name=f"{profile.name}-{number}")


def fleet_secret(seed: str) -> bytes:
    """What the keys of all meters come from: the same seed, the same keys."""
    return hashlib.sha256(f"cosemlab test seed {seed}".encode()).digest()
