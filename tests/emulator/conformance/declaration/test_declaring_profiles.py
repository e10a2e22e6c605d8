"""The declaration of a laboratory meter is complete: by it every association is opened."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dlms.axdr.data import Data
from emulator.client.meter_client import MeterClient
from emulator.client import connect
from emulator.client.association import Client
from emulator.conformance.declaration import key_file, parse, render
from emulator.conformance.declaration.model import Declaration, WayKind
from emulator.conformance.declaration.opening import options
from emulator.conformance.declaration.routes import route
from emulator.sandbox import Sandbox

Declared = Callable[..., Declaration]
NAME = ("logical_device_name", 2)


async def open_each(declaration: Declaration) -> list[str]:
    keys = key_file.of(declaration)
    opened = []
    async with Client(route(declaration.way, declaration.hdlc, declaration.timing), 5.0) as client:
        for one in declaration.associations:
            try:
                async with client.associate(**options(declaration, one, keys[one.name])) as a:
                    opened.append(one.name)
            except Exception as e:
                print(one.name, type(e), e)
    return opened


@pytest.mark.parametrize("name", ["laboratory", "secure"])
async def test_associations_open(everywhere: Sandbox, declared: Declared, name: str) -> None:
    declaration = declared(everywhere, name)
    assert await open_each(declaration) == [one.name for one in declaration.associations]
