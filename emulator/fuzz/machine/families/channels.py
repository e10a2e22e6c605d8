"""TLS: channels, sessions of before, certificates that are new, old or not trusted any more."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.fuzz import actions
from emulator.fuzz.machine.drawing import SELDOM
from emulator.fuzz.machine.move import Move
from emulator.fuzz.machine.palette import Palette
from emulator.fuzz.machine.plot import Plot


def moves(palette: Palette) -> Iterator[Move]:
    if not palette.in_channels:
        return
    clients = palette.in_channels

    def connect(plot: Plot, client: str, resume: bool, days: int | None, noise: bool) -> None:
        garbage = bytes.fromhex("0001000100010010") + bytes(16) if noise else b""
        plot.do(actions.Connect(client=client, resume=resume, days=days, garbage=garbage))

    def change(plot: Plot, what: str) -> None:
        plot.do(actions.ChangeTls(what=what))

    yield Move(
        "connect",
        connect,
        {
            "client": clients,
            "resume": (True, False),
            "days": (None, None, None, None, 1, -1),
            "noise": SELDOM,
        },
        weight=4,
    )
    whats = ("new certificate", "revoke client", "revoke meter")
    yield Move("change tls", change, {"what": whats}, weight=2)
