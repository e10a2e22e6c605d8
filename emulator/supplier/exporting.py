"""The keys of a meter, wrapped for one party (RFC 3394), as a text to be handed over."""

from __future__ import annotations

from devices.profile import Profile
from dlms.security.ops import Use, Wrap
from emulator.enrolment.agreed import keys_of_meter, transport_key
from emulator.enrolment.key_file import KeyFile, WrappedKey
from emulator.modules.software import SoftwareModule
from emulator.policy import Actor
from emulator.supplier.system import SupplierSystem


def export_keys(system: SupplierSystem, profile: Profile, title: bytes, actor: Actor) -> str:
    """The file with the keys of the meter ``title`` that are for a party."""
    module = SoftwareModule(system.ring())
    kek = transport_key(system.name, actor)
    keys = tuple(
        WrappedKey(
            holder=ref.holder,
            scope=ref.scope,
            kind=ref.kind,
            version=ref.version,
            wrapped=module.execute(Wrap(Use.TRANSFER_KEY, kek, ref)),
        )
        for ref in keys_of_meter(profile, title, actor)
    )
    return KeyFile(kek=kek.scope, keys=keys).to_text()
