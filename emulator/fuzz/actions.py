"""What can be done to a meter, and what its clients can do.

The same actions are for scenarios, for a machine that draws them by lot, and for every target. Keys
are named by their kind (``GUEK``), parties by the names that the run gives its clients.
"""

from __future__ import annotations

from typing import TypeAlias

from emulator.fuzz.befalling import (
    Announce,
    ChangeTls,
    ClockStep,
    Damage,
    Plant,
    PowerCycle,
    SetMeterCounter,
    Wait,
)
from emulator.fuzz.spoken import (
    AarqChange,
    Act,
    Agree,
    Authenticate,
    CatchUp,
    Certify,
    Challenge,
    ChangeSecret,
    Connect,
    Crowd,
    Get,
    Hang,
    NewKey,
    Open,
    PutCounter,
    Release,
    Replay,
    Rotate,
    Send,
    Set,
    Storm,
    TakeKeys,
    Token,
    Transfer,
)

__all__ = [
    "AarqChange",
    "Act",
    "Action",
    "Agree",
    "Announce",
    "Authenticate",
    "CatchUp",
    "Certify",
    "Challenge",
    "ChangeSecret",
    "ChangeTls",
    "ClockStep",
    "Connect",
    "Crowd",
    "Damage",
    "Get",
    "Hang",
    "NewKey",
    "Open",
    "Plant",
    "PowerCycle",
    "PutCounter",
    "Release",
    "Replay",
    "Rotate",
    "Send",
    "Set",
    "SetMeterCounter",
    "Storm",
    "TakeKeys",
    "Token",
    "Transfer",
    "Wait",
]

Action: TypeAlias = (
    Open
    | Challenge
    | Authenticate
    | Release
    | Hang
    | Get
    | Set
    | Act
    | Send
    | Replay
    | Transfer
    | Rotate
    | Agree
    | ChangeSecret
    | TakeKeys
    | PutCounter
    | CatchUp
    | Certify
    | Token
    | Storm
    | Crowd
    | Connect
    | ChangeTls
    | Wait
    | ClockStep
    | Announce
    | PowerCycle
    | SetMeterCounter
    | Damage
    | Plant
)
