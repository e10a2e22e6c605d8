"""What is kept of a head end under test from run to run: how it is driven, what it can do, and how
far the meter's counters are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from devices.profile import Profile, ProfileError, load
from dlms.acse.names import Mechanism, Referencing
from emulator.client.keys import Keys
from emulator.client.route import Route
from emulator.conformance.conversing.tree import Unjudged
from emulator.conformance.declaration.model import Declaration
from emulator.conformance.hostile.head_end import Call, CalledHeadEnd, CommandHeadEnd, HeadEnd
from emulator.conformance.trying.target import Target
from tls.pki import TestPki

PROFILE = "laboratory"
"""The profile of the meter unless the setting ``client.profile`` names another."""

LOOPBACK = "127.0.0.1"

_COUNTED_FROM = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
"""Where keys last longer than a run, a counter begins with the seconds since then: higher than in
any run before, unless one sent more than a message a second for all the time up to the next."""


class Site:
    """Of one head end, for one run."""

    def __init__(self, target: Target, head_end: HeadEnd) -> None:
        self.target = target
        self.head_end = head_end
        self.able: dict[str, str] = {}
        """By task, why it is not done with a meter that behaves; empty where it is."""
        self.counter = 0
        """The next counter of the meter under keys that last."""
        self._pki: TestPki | None = None
        self._profile: Profile | None = None

    @property
    def declaration(self) -> Declaration:
        return self.target.declaration

    def setting(self, name: str, default: str) -> str:
        return self.declaration.settings.get(f"client.{name}", default)

    @property
    def limit(self) -> float:
        """Seconds that a task may take: by the setting ``client.limit``, else what four answers
        take.
        """
        timing = self.declaration.timing
        return float(self.setting("limit", str(4 * timing.answer + timing.patience)))

    @property
    def profile(self) -> Profile:
        """:class:`Unjudged` if there is no such profile."""
        if self._profile is None:
            name = self.setting("profile", PROFILE)
            try:
                self._profile = load(name)
            except ProfileError as error:
                raise Unjudged(f"no meter for the head end: {error}") from error
        return self._profile

    def pki(self, now: dt.datetime) -> TestPki:
        if self._pki is None:
            self._pki = TestPki.create(now=now)
        return self._pki

    def keys(self, association: str) -> Keys | None:
        """Those that were declared for an association of that name; ``None`` if it was not
        declared, or without keys.
        """
        for row in self.declaration.associations:
            if row.name == association and row.keys and self.target.has_keys(row):
                return self.target.keys(row.keys)
        return None

    def counted_to(self, value: int) -> None:
        self.counter = max(self.counter, value)

    def counter_at(self, now: dt.datetime) -> int:
        """With which counter keys that last go on."""
        return max(self.counter, int((now - _COUNTED_FROM).total_seconds()))


_sites: WeakKeyDictionary[Target, Site] = WeakKeyDictionary()


def site_of(target: Target) -> Site:
    """:class:`Unjudged` if nobody has said how to start the head end."""
    site = _sites.get(target)
    if site is None:
        command = target.declaration.client.command
        if not command:
            raise Unjudged("no command is declared that starts the head end")
        site = _sites[target] = Site(target, CommandHeadEnd(command))
    return site


def head_end_target(
    declaration: Declaration, keys: Mapping[str, Keys] | None = None, call: Call | None = None
) -> Target:
    """The target of a run on a head end: the declared command, or a callable of this process."""
    target = Target(declaration, Route(host=LOOPBACK, port=0), keys)
    if call is not None:
        _sites[target] = Site(target, CalledHeadEnd(call))
    return target


BY_SECRET = (Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_SHA256)


def association_for(site: Site, task: str, *, hls: bool = False) -> str:
    """Which association of the meter is for a task: the one that ``client.association`` names,
    else the first that the task needs. :class:`Unjudged` if there is none.

    Those that were declared, if any were, and of them those that ask for most come first.
    """
    profile, features = site.profile, site.declaration.features
    declared = {row.name for row in site.declaration.associations}
    named = site.setting("association", "")
    if named and task != "change-secret":
        if named not in profile.associations:
            raise Unjudged(f"{profile.name} has no association {named!r}")
        return named
    ciphered = bool(features.get("ciphered"))
    fitting = []
    for row in profile.associations.values():
        config = row.config
        wrong = (
            (declared and row.name not in declared)
            or config.pre_established
            or config.broadcast
            or config.unconfirmed
            or config.users is not None
            or config.context.referencing is not Referencing.LOGICAL_NAME
            or config.mechanism in (Mechanism.HLS_ECDSA, Mechanism.HLS)
            or config.suite > features.get("suite", 0)
            or (config.mechanism.is_hls and not features.get("hls"))
            or (config.context.ciphered and not ciphered)
            or (hls and not config.mechanism.is_hls)
        )
        if not wrong and _allows(profile, row.name, task):
            fitting.append(row)
    if not fitting:
        raise Unjudged(f"{profile.name} has no association for the task {task}")
    return min(
        fitting,
        key=lambda row: (
            not row.config.context.ciphered,
            not row.config.mechanism.is_hls,
            row.config.suite,
            -int(row.config.conformance).bit_count(),
        ),
    ).name


def _allows(profile: Profile, name: str, task: str) -> bool:
    """Whether the rights of an association are enough for a task."""
    row = profile.associations[name]

    def may(class_id: int, methods: set[int], attributes: set[int], instance: bytes = b"") -> bool:
        for one in profile.objects.values():
            rights = one.rights.get(name)
            if one.interface_class.class_id != class_id or rights is None:
                continue
            if instance and one.instance != instance:
                continue
            readable = {number for number, access in rights.attributes.items() if access.readable}
            if methods <= rights.methods and attributes <= readable:
                return True
        return False

    match task:
        case "rotate-keys":
            setup = row.security_setup
            own = bytes((0, 0, 43, 0, setup, 255)) if setup is not None else b""
            return bool(own) and may(64, {2}, set(), own)
        case "change-secret":
            return (
                row.config.mechanism in BY_SECRET
                and row.security_setup is not None
                and may(15, {2}, set())
            )
        case "top-up":
            return may(112, {1}, {2})
        case "image":
            return may(18, {1, 2, 3}, {2, 3, 4, 5, 6})
        case "profile":
            return may(7, set(), {2, 3, 4})
        case "clock":
            return may(8, set(), {2})
    return may(1, set(), {2})
