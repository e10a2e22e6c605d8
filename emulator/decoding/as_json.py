"""A conversation for programs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from emulator.decoding.conversation import Conversation, Message
from emulator.decoding.fields import Field
from emulator.decoding.hiding import Hider
from emulator.decoding.layers import Layer


def conversation_json(found: Conversation, hider: Hider, *, frames: bool = False) -> dict[str, Any]:
    """``octets`` of a layer are hexadecimal with ``••`` for one that is hidden."""
    return {
        "conversation": found.number,
        "caller": found.line.caller,
        "called": found.line.called,
        "notes": list(found.line.notes),
        "closed": list(found.closed),
        "messages": [_message(one, hider, frames=frames) for one in found.messages],
    }


def _message(message: Message, hider: Hider, *, frames: bool) -> dict[str, Any]:
    unit = message.unit
    at = None if unit.at is None else dt.datetime.fromtimestamp(unit.at, dt.UTC).isoformat()
    told: dict[str, Any] = {
        "number": message.number,
        "at": at,
        "forward": message.forward,
        "says": hider.text(message.says),
        "framing": unit.head,
        "packets": list(unit.packets),
        "answers": message.answers,
        "took": message.took,
        "state": message.state or None,
        "problems": [hider.text(one) for one in message.problems],
        "layers": [_layer(one, hider) for one in message.layers],
    }
    if frames or not message.layers:
        told["frames"] = [
            {
                "octets": "".join(hider.octets(octets, cut.fields)),
                "fields": _fields(cut.fields, hider),
            }
            for octets, cut in message.frames()
        ]
    return told


def _layer(layer: Layer, hider: Hider) -> dict[str, Any]:
    return {
        "origin": layer.origin or None,
        "key": layer.key or None,
        "verified": layer.verified,
        "octets": "".join(hider.octets(layer.octets, layer.fields)),
        "fields": _fields(layer.fields, hider),
        "notes": [hider.text(one) for one in layer.notes],
        "problems": [hider.text(one) for one in layer.problems],
    }


def _fields(fields: tuple[Field, ...], hider: Hider) -> list[dict[str, Any]]:
    return [
        {
            "start": one.start,
            "stop": one.stop,
            "depth": one.depth,
            "name": one.name,
            "value": None if one.secret else hider.text(one.value),
            "hidden": one.secret,
        }
        for one in fields
    ]
