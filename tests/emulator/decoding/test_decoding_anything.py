"""Whatever is given is shown: nothing makes decoding fail, and no octet is passed over."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.client.keys import Keys
from emulator.decoding.as_json import conversation_json
from emulator.decoding.chunks import Chunk, Line
from emulator.decoding.conversation import Decoder
from emulator.decoding.hiding import Hider
from emulator.decoding.keys import KeyChain
from emulator.decoding.text import View, conversation_lines

FOLDER = Path(__file__).parents[3] / "fixtures" / "vectors"
VECTORS = [
    bytes.fromhex(one["hex"])
    for name in ("xdlms", "blocks", "services", "gbt", "acse", "ciphered", "hdlc", "wrapper")
    for one in json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    if one.get("kind", "frame") == "frame"
]
KEYS = KeyChain({"the": Keys(guek=bytes(range(16)), gak=bytes(range(0xD0, 0xE0)))})


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    octets = bytearray(draw(st.sampled_from(VECTORS)))
    for _ in range(draw(st.integers(0, 3))):
        octets[draw(st.integers(0, len(octets) - 1))] = draw(st.integers(0, 255))
    return bytes(octets[: draw(st.integers(1, len(octets)))])


@settings(max_examples=300)
@given(
    st.lists(st.tuples(bent() | st.binary(min_size=1, max_size=30), st.booleans()), max_size=5),
    st.booleans(),
)
def test_anything(parts: list[tuple[bytes, bool]], whole: bool) -> None:
    chunks = tuple(Chunk(octets, forward, 1.5, 3) for octets, forward in parts)
    found = Decoder(KEYS, (bytes.fromhex("4D4D4D0000BC614E"),)).decode(
        [Line("a", "b", chunks, whole=whole)]
    )
    hider = Hider(KEYS.secrets, found)
    text = [one for each in found for one in conversation_lines(each, View(hider, frames=True))]
    told = json.dumps([conversation_json(each, hider, frames=True) for each in found])
    assert len(told) > 0
    for message in found[0].messages:
        assert any(one.startswith(f"{message.number:>4} ") for one in text)
        for layer in message.layers:
            covered = [one.start for one in layer.fields]
            assert covered == [0, *(one.stop for one in layer.fields[:-1])][: len(covered)]
            assert not layer.fields or layer.fields[-1].stop == len(layer.octets)
        if not message.layers and not message.unit.head:
            assert message.problems


@settings(max_examples=100)
@given(st.lists(st.sampled_from(VECTORS), min_size=1, max_size=6))
def test_vectors_in_any_order(apdus: list[bytes]) -> None:
    chunks = tuple(Chunk(apdu) for apdu in apdus)
    (found,) = Decoder(KEYS).decode([Line("a", "b", chunks, whole=True)])
    # Of segments whose last one is not there, that is said at the end.
    complete = [one for one in found.messages if "never came" not in str(one.problems)]
    assert len(complete) == len(apdus)
