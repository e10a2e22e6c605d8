"""Services by short names: read and write, proper, lost, and made wrong."""

from __future__ import annotations

from collections.abc import Iterator

from dlms.axdr.data import octet_string
from dlms.xdlms.read import ReadRequest
from dlms.xdlms.variable_access import VariableName
from dlms.xdlms.write import WriteRequest
from emulator.fuzz import actions
from emulator.fuzz.machine.drawing import SELDOM
from emulator.fuzz.machine.families.tampering import ANSWERED, LOST, TAMPERED
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import NOTE, Palette
from emulator.fuzz.machine.plot import Plot
from emulator.fuzz.twist import STRAIGHT, Twist

_PROTECTIONS = (None, None, None, 0x10, 0x20, 0x00)


def moves(palette: Palette) -> Iterator[Move]:
    if not palette.short:
        return
    clients = palette.short
    note = VariableName(name=palette.site.profile.short_names.attribute(NOTE.instance, 2))
    read = ReadRequest((note,)).encode()
    plain = (
        read,
        *(WriteRequest((note,), (octet_string(octet),)).encode() for octet in (b"\x07", b"\x08")),
    )

    def ask(
        plot: Plot, client: str, plain: bytes, protection: int | None, bare: bool, raw: bool
    ) -> None:
        if plot.ready(client, raw):
            plot.do(actions.Send(client=client, plain=plain, protection=protection, bare=bare))

    def twist(plot: Plot, client: str, plain: bytes, twist: Twist, raw: bool) -> None:
        if plot.ready(client, raw):
            plot.do(actions.Send(client=client, plain=plain, twist=twist))

    def again(plot: Plot, client: str, plain: bytes, is_lost: Twist) -> None:
        """The same octets twice, whether the first have arrived or not."""
        if plot.ready(client):
            plot.do(actions.Send(client=client, plain=plain, twist=is_lost))
            plot.do(actions.Replay(client=client, step=len(plot.course.steps)))

    draws = {"client": clients, "plain": plain}
    how = {"protection": _PROTECTIONS, "bare": SELDOM, "raw": SELDOM}
    yield Move("ask by short name", ask, {**draws, **how}, weight=4)
    twists = {"twist": (*TAMPERED, *LOST, *ANSWERED), "raw": SELDOM}
    yield Move("twist by short name", twist, {**draws, **twists}, weight=4)
    yield Move("again by short name", again, {**draws, "is_lost": (STRAIGHT, *LOST)}, weight=2)
