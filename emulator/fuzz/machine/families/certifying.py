"""Certificates that are read, removed, and put back."""

from __future__ import annotations

from collections.abc import Iterator

from dlms.cosem.security_setup import ByEntity, Entity, identification_data
from dlms.security.ops import CertificatePurpose
from dlms.xdlms.descriptors import MethodDescriptor
from emulator.fuzz import actions
from emulator.fuzz.actions import Action
from emulator.fuzz.machine.families.changing import LOST
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.twist import STRAIGHT, Twist

_EXPORT, _REMOVE = 7, 8
_CUT = (Twist(cut=0), Twist(cut=1))
_SIGNATURE, _AGREEMENT = CertificatePurpose.SIGNATURE, CertificatePurpose.KEY_AGREEMENT
_OF = (
    (Entity.SERVER, _SIGNATURE),
    (Entity.CLIENT, _SIGNATURE),
    (Entity.SERVER, _AGREEMENT),
    (Entity.CLIENT, _AGREEMENT),
)
_REMOVED = ((Entity.CLIENT, _SIGNATURE),) * 5 + ((Entity.CLIENT, _AGREEMENT), _OF[0], _OF[2])
"""With the meter's own goes its private key, and nobody agrees on keys with it any more."""


def moves(palette: Palette) -> Iterator[Move]:
    if not palette.agreeing:
        return

    def on(
        client: str, method: int, which: tuple[Entity, CertificatePurpose], twist: Twist
    ) -> Action:
        entity, purpose = which
        meter = entity is Entity.SERVER
        title = palette.site.meter_title if meter else palette.site.title(client)
        return actions.Act(
            client=client,
            method=MethodDescriptor(64, palette.setup(client), method),
            parameter=identification_data(ByEntity(entity, purpose, title)),
            twist=twist,
        )

    def export(plot: Plot, client: str, which: tuple[Entity, CertificatePurpose]) -> None:
        if plot.ready(client):
            plot.do(on(client, _EXPORT, which, STRAIGHT))

    def remove(
        plot: Plot,
        client: str,
        which: tuple[Entity, CertificatePurpose],
        twist: Twist,
        is_put_back: bool,
    ) -> None:
        """Whatever becomes of it, it is asked whether it is there, and agreed on keys."""
        if not plot.ready(client):
            return
        plot.do(on(client, _REMOVE, which, twist))
        if plot.ready(client):
            plot.do(on(client, _EXPORT, which, STRAIGHT))
        if plot.ready(client):
            plot.do(actions.Agree(client=client, kinds=("GUEK",)))
        if is_put_back and which[0] is Entity.CLIENT and plot.ready(client):
            purpose = which[1].name
            plot.do(actions.Certify(client=client, whose="client", purpose=purpose))

    yield Move("export a certificate", export, {"client": palette.agreeing, "which": _OF})
    yield Move(
        "remove a certificate",
        remove,
        {
            "client": palette.agreeing,
            "which": _REMOVED,
            "twist": (*LOST, *_CUT),
            "is_put_back": (True, True, False),
        },
    )
