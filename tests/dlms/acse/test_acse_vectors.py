"""ACSE vectors: decoded fields, identical octets, and every way to cut them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import (
    AssociationResult,
    ProviderDiagnostic,
    ReleaseRequestReason,
    ReleaseResponseReason,
    UserDiagnostic,
)
from dlms.acse.fields import AuthenticationValue
from dlms.acse.release import Rlre, Rlrq
from dlms.errors import CodecError

VECTORS = json.loads(
    (Path(__file__).parents[3] / "fixtures/vectors/acse.json").read_text(encoding="utf-8")
)
APDUS: dict[str, Any] = {"AARQ": Aarq, "AARE": Aare, "RLRQ": Rlrq, "RLRE": Rlre}
REASONS: dict[str, Any] = {"RLRQ": ReleaseRequestReason, "RLRE": ReleaseResponseReason}


def expected(vector: dict[str, Any]) -> Any:
    """The value that the hand-written fields of ``vector`` describe."""
    fields: dict[str, Any] = {}
    for name, value in vector["expected"].items():
        if name == "result":
            fields[name] = AssociationResult[value]
        elif name == "diagnostic":
            choice, code = value.split()
            enum = {"user": UserDiagnostic, "provider": ProviderDiagnostic}[choice]
            fields[name] = enum[code]
        elif name == "reason":
            fields[name] = REASONS[vector["apdu"]][value]
        elif name.endswith("authentication_value"):
            fields[name] = AuthenticationValue(bytes.fromhex(value))
        elif name == "protocol_version" or isinstance(value, int):
            fields[name] = value
        else:
            fields[name] = bytes.fromhex(value)
    return APDUS[vector["apdu"]](**fields)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
class TestVector:
    def test_decodes_to_the_expected_fields(self, vector: dict[str, Any]) -> None:
        octets = bytes.fromhex(vector["hex"])
        assert APDUS[vector["apdu"]].decode(octets) == expected(vector)

    def test_encodes_to_identical_octets(self, vector: dict[str, Any]) -> None:
        assert expected(vector).encode() == bytes.fromhex(vector["hex"])

    def test_truncated_anywhere_is_refused(self, vector: dict[str, Any]) -> None:
        octets = bytes.fromhex(vector["hex"])
        decode = APDUS[vector["apdu"]].decode
        for length in range(len(octets)):
            with pytest.raises(CodecError):
                decode(octets[:length])

    def test_truncated_content_with_a_fitting_length_is_refused_or_shorter(
        self, vector: dict[str, Any]
    ) -> None:
        """The outer length is mended, so that the inner lengths have to be the ones that notice."""
        octets = bytes.fromhex(vector["hex"])
        whole = APDUS[vector["apdu"]].decode(octets)
        for length in range(2, len(octets)):
            cut = octets[:1] + bytes((length - 2,)) + octets[2:length]
            try:
                value = APDUS[vector["apdu"]].decode(cut)
            except CodecError:
                continue
            # The cut fell between two elements: all that is left is what was there before.
            assert value != whole
            assert value.encode() == cut

    def test_octets_behind_are_refused(self, vector: dict[str, Any]) -> None:
        with pytest.raises(CodecError):
            APDUS[vector["apdu"]].decode(bytes.fromhex(vector["hex"]) + b"\x00")

    def test_other_apdus_refuse_it(self, vector: dict[str, Any]) -> None:
        octets = bytes.fromhex(vector["hex"])
        for name, apdu in APDUS.items():
            if name != vector["apdu"]:
                with pytest.raises(CodecError):
                    apdu.decode(octets)

    def test_flipped_octets_are_read_or_refused(self, vector: dict[str, Any]) -> None:
        octets = bytes.fromhex(vector["hex"])
        decode = APDUS[vector["apdu"]].decode
        refused = 0
        for position in range(len(octets)):
            for mask in (0x01, 0x20, 0x80, 0xFF):
                flipped = bytearray(octets)
                flipped[position] ^= mask
                try:
                    decode(bytes(flipped))
                except CodecError:
                    refused += 1
        assert refused >= 4  # at least every change of the tag
