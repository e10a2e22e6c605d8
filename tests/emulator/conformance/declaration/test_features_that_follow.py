"""Features follow from the bits of the conformance block, and from nothing near to them."""

from __future__ import annotations

import pytest

from emulator.conformance.declaration import parse


def up(row: str, way: str = "kind = 'tcp'\nhost = 'x'\nport = 1\n") -> dict[str, int]:
    text = f"name = 'x'\n[way]\n{way}\n[associations.a]\nclient_sap = 1\nserver_sap = 5\n"
    return dict(parse(f"{text}mechanism = 'NONE'\n{row}").features)


SERVICES = {"get", "set", "access", "read", "write", "get.blocks", "set.blocks", "action.blocks",
            "gbt", "lists", "selective", "general"}  # fmt: skip


@pytest.mark.parametrize(
    ("context", "bits", "features"),
    [
        ("LN", ["GET"], {"get"}),
        ("LN", ["GET", "BLOCK_TRANSFER_WITH_GET_OR_READ"], {"get", "get.blocks"}),
        ("LN", ["BLOCK_TRANSFER_WITH_GET_OR_READ"], set()),
        ("LN", ["SET", "BLOCK_TRANSFER_WITH_SET_OR_WRITE"], {"set", "set.blocks"}),
        ("LN", ["ACTION", "BLOCK_TRANSFER_WITH_ACTION"], {"action.blocks"}),
        ("LN", ["ACCESS"], {"access"}),
        ("LN", ["MULTIPLE_REFERENCES"], {"lists"}),
        ("LN", ["SELECTIVE_ACCESS"], {"selective"}),
        ("SN", ["PARAMETERIZED_ACCESS"], {"selective"}),
        ("LN", ["GENERAL_BLOCK_TRANSFER"], {"gbt"}),
        ("LN", ["READ"], set()),
        ("SN", ["READ", "WRITE"], {"read", "write"}),
        ("SN", ["GET"], set()),
        ("LN", ["GENERAL_PROTECTION"], set()),
        ("LN_CIPHERED", ["GENERAL_PROTECTION"], {"general"}),
    ],
)
def test_services(context: str, bits: list[str], features: set[str]) -> None:
    found = up(f"context = '{context}'\nconformance = {bits}\n")
    assert SERVICES & set(found) == features


def test_numbers() -> None:
    row = "context = 'LN'\nconformance = []\n"
    link = "kind = 'hdlc'\nhost = 'x'\nport = 1\n[hdlc]\ninactivity = 0.5\n"
    found = up(row, link)
    assert found["hdlc.inactivity"] == 1  # not none
    assert (found["hdlc.address"], found["clients"]) == (1, 1)
    assert up(f"{row}[logical_devices]\n1 = 'A'\n")["lds"] == 2  # that of the association besides
