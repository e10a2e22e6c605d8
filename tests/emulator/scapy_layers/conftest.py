"""Scapy that tells of every mistake of a layer, and what the tests of the layers share."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("scapy")

from emulator.decoding.quiet import quiet
from emulator.scapy_layers import use_keys
from emulator.scapy_layers.parts import LengthField

with quiet():
    from scapy.config import conf
    from scapy.packet import NoPayload, Packet

ROOT = Path(__file__).parents[3]


def loaded(path: Path) -> ModuleType:
    """A module of the tests, which are no packages."""
    spec = spec_from_file_location(f"of_layers_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built_anew(layer: Any) -> Any:
    """The same fields in layers that have never seen octets; lengths and counts left to them."""
    if not isinstance(layer, Packet):
        return layer
    fields = {}
    for name, value in layer.fields.items():
        field = layer.get_field(name)
        if isinstance(getattr(field, "fld", field), LengthField):
            continue
        found = [built_anew(one) for one in value] if isinstance(value, list) else value
        fields[name] = built_anew(found)
    made = type(layer)()
    made.fields = fields
    if not isinstance(layer.payload, NoPayload):
        made = made / built_anew(layer.payload)
    return made


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    before = conf.debug_dissector
    conf.debug_dissector = True
    yield
    conf.debug_dissector = before
    use_keys(None)


@pytest.fixture(scope="session")
def layering() -> SimpleNamespace:
    """``core``: layer to value of ``dlms``; ``anew``: :func:`built_anew`; ``drawn``: strategies of
    the tests of ``dlms``, by name.
    """
    mapping = loaded(Path(__file__).with_name("layers_to_core.py"))
    return SimpleNamespace(core=mapping.core, data=mapping.data, anew=built_anew)
