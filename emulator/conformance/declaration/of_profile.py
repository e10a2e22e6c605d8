"""The declaration of a laboratory meter, from its profile, where it listens and who calls it.

What a vendor would write by hand is known here: associations, their keys, the features that follow
from the objects and their rights. Pre-established and broadcast associations are left out: there is
no AARQ for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from devices.profile import Profile
from devices.profile.model import AssociationRow, ObjectRow
from dlms.acse.names import Mechanism
from dlms.association.knobs import Unasked
from dlms.framing.hdlc.parameters import MAX_WINDOW, MIN_INFORMATION
from dlms.security.keys import KeyKind, KeyRef
from emulator.client.keys import Keys
from emulator.conformance.declaration.abilities import abilities, sta_of, writes_of
from emulator.conformance.declaration.features import derived
from emulator.conformance.declaration.model import (
    Declaration,
    DeclaredAssociation,
    DeclaredHdlc,
    DeclaredWay,
    LogicalDevice,
    Timing,
    WayKind,
)
from emulator.conformance.declaration.ways import HDLC_KINDS
from emulator.meter_address import MeterAddress
from emulator.modules.keyring import KeyRing
from emulator.provisioning import client_keys, client_title, has_pairs, registered_titles
from emulator.serving.lines import DEVICE_ADDRESS, HDLC_SETUP, TCP_INTER_OCTET_TIMEOUT
from tls.contexts import CIPHERS, CURVE

INACTIVITY = 120
"""Seconds, of a meter without an IEC HDLC setup (Blue Book, class 23)."""
_HASHES = (Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_SHA256)
Key = Callable[[bytes, str, KeyKind], KeyRef]
"""Which key is in force, by the meter's title, the association and the kind."""


class TlsFiles(NamedTuple):
    """Paths of PEM files: whom the tester believes, and who it is."""

    ca: str
    certificate: str
    key: str


class Issuer(NamedTuple):
    """Paths of PEM files: an authority that the meter trusts, with its key. The tester issues bad
    certificates with it.
    """

    certificate: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a profile does not say. ``titles`` are the clients that are registered in the meter, by
    association; ``kind`` is the way to go, ``tls`` is for that over TLS. ``key_file`` is the path
    that the declaration gives, ``image`` that of one that may be transferred. ``spend``: what
    cannot be undone may be done to the meter.
    """

    titles: Mapping[str, bytes]
    kind: WayKind = WayKind.TCP
    tls: TlsFiles | None = None
    issuer: Issuer | None = None
    key_file: str = "keys.toml"
    image: str = ""
    timing: Timing = field(default_factory=Timing)
    spend: bool = False


def declare(profile: Profile, address: MeterAddress, how: Circumstances) -> Declaration:
    """``ValueError`` if the meter does not listen there."""
    rows = openable(profile)
    titles = registered_titles(profile, how.titles)
    writes = writes_of(profile, rows)
    plain = Declaration(
        name=f"laboratory meter {address.name}",
        features={},
        way=way_to(address, how),
        title=address.title,
        logical_devices=tuple(
            LogicalDevice(sap=sap, name=profile.logical_device_name(address.serial))
            for sap in sorted({row.config.server_sap for row in rows})
        ),
        associations=tuple(_association(row, titles) for row in rows),
        hdlc=_hdlc(profile) if how.kind in HDLC_KINDS else DeclaredHdlc(),
        timing=how.timing,
        key_file=how.key_file,
        writes=writes,
        sta=sta_of(profile, writes),
        image=how.image,
        settings=_settings(profile, how),
    )
    found = abilities(profile, rows, spend=how.spend)
    tls = _tls_features(profile) if how.kind is WayKind.TLS else {}
    return replace(plain, features={**derived(plain).all, **found, **tls})


def openable(profile: Profile) -> tuple[AssociationRow, ...]:
    """The associations that an AARQ can ask for."""
    return tuple(
        row
        for row in profile.associations.values()
        if not row.config.pre_established and not row.config.broadcast
    )


def left_out(profile: Profile) -> tuple[AssociationRow, ...]:
    """The others."""
    there = {row.name for row in openable(profile)}
    return tuple(row for row in profile.associations.values() if row.name not in there)


def keys_of(
    profile: Profile,
    title: bytes,
    ring: KeyRing,
    titles: Mapping[str, bytes],
    key: Key = KeyRef,
) -> dict[str, Keys]:
    """The keys of the associations that can be opened and have any, by their names. ``key`` names
    those that are in force where they are not those that the meter ``title`` was made with.
    """
    found = {}
    for row in openable(profile):
        one = Keys()
        if row.security_setup is not None:
            one = client_keys(row, title, client_title(row, titles), ring)
            kinds = {
                "guek": KeyKind.GUEK, "gak": KeyKind.GAK, "gbek": KeyKind.GBEK, "kek": KeyKind.KEK,
            }  # fmt: skip
            one = replace(
                one,
                **{name: ring.get(key(title, row.name, kind)) for name, kind in kinds.items()},
            )
        mechanism = row.config.mechanism
        if mechanism is Mechanism.LLS:
            one = replace(one, password=ring.get(key(title, row.name, KeyKind.LLS_SECRET)))
        if mechanism in _HASHES:
            one = replace(one, hls_secret=ring.get(key(title, row.name, KeyKind.HLS_SECRET)))
        if one != Keys():
            found[row.name] = one
    return found


def way_to(address: MeterAddress, how: Circumstances) -> DeclaredWay:
    """``ValueError`` if the meter does not listen there."""
    kind = how.kind
    line = {WayKind.SERIAL: address.line, WayKind.OPTICAL: address.optical}
    if kind in line:
        path = line[kind]
        if path is None:
            raise ValueError(_closed(address, kind))
        return DeclaredWay(kind=kind, host=path)
    port = {
        WayKind.TCP: address.plain_port,
        WayKind.TLS: address.tls_port,
        WayKind.UDP: address.udp_port,
        WayKind.HDLC: address.hdlc_port,
    }[kind]
    if port is None:
        raise ValueError(_closed(address, kind))
    if kind is not WayKind.TLS:
        return DeclaredWay(kind=kind, host=address.host, port=port)
    if how.tls is None:
        raise ValueError("TLS takes certificates: who the tester is, and whom it believes")
    ca, certificate, key = how.tls
    return DeclaredWay(
        kind=kind, host=address.host, port=port, ca=ca, certificate=certificate, key=key
    )


def _closed(address: MeterAddress, kind: WayKind) -> str:
    option = "line" if kind is WayKind.SERIAL else kind.value
    return f"{address.name} has no way {kind.value!r}: 'cosemlab up --{option}' opens it"


def _association(row: AssociationRow, titles: Mapping[str, bytes]) -> DeclaredAssociation:
    config, setup = row.config, row.security_setup
    keyed = setup is not None or config.mechanism is not Mechanism.NONE
    named = config.needs_title or has_pairs(row)
    return DeclaredAssociation(
        name=row.name,
        client_sap=config.client_sap,
        server_sap=config.server_sap,
        context=config.context,
        mechanism=config.mechanism,
        conformance=config.conformance,
        max_pdu_size=config.max_pdu_size,
        suite=config.suite,
        policy=config.policy,
        dedicated=row.dedicated,
        keys=row.name if keyed else "",
        own_title=client_title(row, titles) if named else b"",
        counter_from=b"" if setup is None or not config.needs_key else _counter(setup),
        users=tuple(sorted(config.users or ())),
        protected_release=config.protected_release,
        security_setup=b"" if setup is None else bytes((0, 0, 43, 0, setup, 255)),
    )


def _counter(setup: int) -> bytes:
    """The object that shows the invocation counter beside a Security setup."""
    return bytes((0, 0, 43, 1, setup, 255))


def _hdlc(profile: Profile) -> DeclaredHdlc:
    """As the meter presents itself (:mod:`emulator.serving.lines`)."""
    row: ObjectRow | None = profile.objects.get(HDLC_SETUP)

    def number(attribute: int, default: int) -> int:
        data = None if row is None else row.values.get(attribute)
        return data.value if data is not None and isinstance(data.value, int) else default

    return DeclaredHdlc(
        address=4,
        physical=number(9, DEVICE_ADDRESS),
        transmit=max(number(5, 128), MIN_INFORMATION),
        receive=max(number(6, 128), MIN_INFORMATION),
        window_transmit=min(max(number(3, 1), 1), MAX_WINDOW),
        window_receive=min(max(number(4, 1), 1), MAX_WINDOW),
        inactivity=float(number(8, INACTIVITY)),
        inter_octet=max(number(7, 25) / 1000, TCP_INTER_OCTET_TIMEOUT),
    )


def _tls_features(profile: Profile) -> dict[str, int]:
    """What OpenSSL does by the contexts of :mod:`tls.contexts`. A session has no end that a meter
    would see to.
    """
    return {
        "tls.ems": True,
        "tls.session-id": True,
        "tls.random-time": True,
        "tls.title-bound": bool(_bound(profile)),
    }


def _bound(profile: Profile) -> list[str]:
    """The associations that take the system title in the certificate, and no other."""
    rows = [row for row in openable(profile) if row.config.context.ciphered]
    return [row.name for row in rows if row.config.knobs.channel_title is Unasked.REJECT]


_CLIENT_SIGNATURES = (
    "ecdsa_secp256r1_sha256 ecdsa_secp384r1_sha384 ecdsa_secp521r1_sha512 ed25519 ed448"
    " rsa_pss_pss_sha256 rsa_pss_pss_sha384 rsa_pss_pss_sha512 rsa_pss_sha256 rsa_pss_sha384"
    " rsa_pss_sha512 rsa_pkcs1_sha256 rsa_pkcs1_sha384 rsa_pkcs1_sha512 ecdsa_sha224"
    " rsa_pkcs1_sha224 dsa_sha224 dsa_sha256 dsa_sha384 dsa_sha512"
)
"""What OpenSSL offers at its security level 1; Python has no way to change that."""


def _settings(profile: Profile, how: Circumstances) -> dict[str, str]:
    if how.kind is not WayKind.TLS:
        return {}
    settings = {
        "tls.suites": " ".join(CIPHERS),
        "tls.curves": CURVE,
        "tls.signatures": "ecdsa_secp256r1_sha256",
        "tls.client.signatures": _CLIENT_SIGNATURES,
        "tls.bound": " ".join(_bound(profile)),
    }
    if how.issuer is not None:
        settings |= {"tls.issuer": how.issuer.certificate, "tls.issuer-key": how.issuer.key}
    return settings
