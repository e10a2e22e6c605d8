"""Certificates for a meter or its client, of the fleet's authority or of one that nobody trusts."""

from __future__ import annotations

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from dlms.axdr.data import octet_string
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import CertificatePurpose
from dlms.xdlms.descriptors import MethodDescriptor
from emulator.fuzz import actions
from emulator.fuzz.in_process.client import BenchClient
from emulator.fuzz.in_process.speaking import said
from emulator.fuzz.in_process.world import SECRET, World
from emulator.fuzz.target import Seen
from emulator.key_suites import suites_of
from emulator.modules import curves
from emulator.modules.authority import FleetAuthority
from emulator.modules.key_usage import extension_for
from emulator.modules.keyring import KeyRing
from tls.identity import hardware_module_name

_STRANGER = b"somebody else" + SECRET

_KINDS = {
    CertificatePurpose.SIGNATURE: KeyKind.SIGNING_KEY,
    CertificatePurpose.KEY_AGREEMENT: KeyKind.AGREEMENT_KEY,
}


def certifying(world: World, client: BenchClient, action: actions.Certify) -> Seen:
    """import_certificate of what is issued here."""
    number = client.row.security_setup
    if number is None:
        raise ValueError(f"the client {client.name} has no Security setup")
    der = _made(world, client, action)
    method = MethodDescriptor(64, bytes((0, 0, 43, 0, number, 255)), 6)
    return said(
        world,
        client,
        lambda: client.dialogues.action(method, octet_string(der)),
        action.twist,
    )


def _made(world: World, client: BenchClient, action: actions.Certify) -> bytes:
    suite = client.row.config.suite
    authority = FleetAuthority(SECRET, suite)
    stranger = FleetAuthority(_STRANGER, suite)
    issuer = authority if action.authority == "fleet" else stranger
    if action.whose == "root":
        return issuer.certificate
    title = {
        "meter": client.meter,
        "client": client.config.own_title or b"",
    }.get(action.whose) or bytes.fromhex(action.whose)
    purpose = CertificatePurpose[action.purpose]
    if action.request is not None:
        return issuer.answer(_request(world, action.request), title, purpose)
    ring = KeyRing(SECRET, suites_of(world.profile))
    holder = title if action.whose in ("meter", "client") else client.meter
    kind = _KINDS.get(purpose, KeyKind.SIGNING_KEY)
    private = curves.private_key(ring.get(KeyRef(holder, client.row.name, kind)))
    public = private.public_key()
    if action.usage or action.days is not None:
        return _odd(issuer, suite, title, purpose, public, action, world.meter.now)
    return issuer.issue(title, purpose, curves.public_octets(public))


def _request(world: World, step: int) -> bytes:
    value = world.values[step - 1] if step <= len(world.values) else None
    if value is None or not isinstance(value.value, bytes):
        raise ValueError(f"step {step} has brought no certificate request")
    return value.value


def _odd(
    issuer: FleetAuthority,
    suite: int,
    title: bytes,
    purpose: CertificatePurpose,
    public: ec.EllipticCurvePublicKey,
    action: actions.Certify,
    now: dt.datetime,
) -> bytes:
    """One that the fleet's authority would not issue, though with its key."""
    name = title.hex().upper()
    roots = x509.load_der_x509_certificate(issuer.certificate)
    days = 3650 if action.days is None else action.days
    usage: x509.ExtensionType = extension_for(purpose)
    if action.usage == "both":
        usage = x509.KeyUsage(True, False, False, False, True, False, False, False, False)
    elif action.usage:
        usage = extension_for(CertificatePurpose[action.usage])
    maker = SECRET if action.authority == "fleet" else _STRANGER
    ring = KeyRing(maker, lambda ref: suite)
    key = curves.private_key(ring.get(KeyRef(b"", "authority", KeyKind.SIGNING_KEY)))
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(roots.subject)
        .public_key(public)
        .serial_number(0x4000000000000001)
        .not_valid_before(min(now, now + dt.timedelta(days=days)) - dt.timedelta(days=400))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(usage, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([hardware_module_name(title)]), critical=False)
    )
    algorithm = hashes.SHA256() if issuer.curve.value == 32 else hashes.SHA384()
    return builder.sign(key, algorithm).public_bytes(Encoding.DER)
