"""This project's own client as a head end under test, and an example of how any is driven.

    python -m emulator.conformance.hostile.own {task} {material} [COUNTERS]

Where several tasks come under the same keys, COUNTERS is a file in which its counters are kept.

It prints what it believes as JSON, and ends with exit status 0; or says what went wrong, with 1.
What becomes of a lost answer is a head end's business and not a client's: it is here.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlms.acse.names import ApplicationContext
from dlms.axdr.data import double_long
from dlms.axdr.datetimes import CosemDateTime
from dlms.errors import DlmsError
from dlms.security.counters import InvocationCounters
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from dlms.security.ops import Use, Wrap
from emulator.client import (
    AnswerTimeout,
    Association,
    AssociationLost,
    Hdlc,
    Keys,
    Refused,
    Transfer,
    connect,
)
from emulator.conformance.hostile.head_end import Call, Outcome
from emulator.conformance.hostile.material import Material
from emulator.conformance.hostile.own_values import plain, read_value, where
from emulator.conformance.hostile.tls_files import context_of
from emulator.counter_file import CounterFile, FiledCounters
from emulator.modules.keyring import KeyRing
from emulator.modules.software import SoftwareModule

MAX_PDU_SIZE = 1024
ATTEMPTS = 2
"""Associations that a task may take."""
HASTE = 0.75
"""How much of its time it takes at the most, so that it gives up by itself."""
PAUSE = 0.02
"""Seconds between questions whether an image has been verified."""

_CHANGE_HLS_SECRET = 2
_ASSOCIATION = (15, "0-0:40.0.0.255")


async def do(task: str, host: str, port: int, material: Material) -> Outcome:
    """A head end in this process (:data:`~emulator.conformance.hostile.head_end.Call`)."""
    return await _done(OwnHeadEnd(material.to_json()), task)


def keeping(counters: InvocationCounters) -> Call:
    """The same, for several tasks under the same keys."""

    async def do(task: str, host: str, port: int, material: Material) -> Outcome:
        return await _done(OwnHeadEnd(material.to_json(), counters), task)

    return do


async def _done(head_end: OwnHeadEnd, task: str) -> Outcome:
    try:
        return Outcome(ok=True, value=await head_end.do(task))
    except (DlmsError, OSError, ValueError) as error:
        return Outcome(ok=False, why=f"{type(error).__name__}: {error}")


class OwnHeadEnd:
    """``told`` is the material, as its file has it. ``counters`` are those of tasks before under
    the same keys: none is used twice.
    """

    def __init__(self, told: Mapping[str, Any], counters: InvocationCounters | None = None) -> None:
        self._told = told
        self._keys = Keys(**{name: bytes.fromhex(key) for name, key in told["keys"].items()})
        self._counters = InvocationCounters() if counters is None else counters

    async def do(self, task: str) -> Any:
        """What it believes. Raises what the client raises, and ``TimeoutError`` if all of it takes
        too long: each answer may come in time, and there be no end of them.
        """
        async with asyncio.timeout(HASTE * self._told["limit"]):
            return await self._do(task)

    async def _do(self, task: str) -> Any:
        match task:
            case "rotate-keys":
                return await self._rotate()
            case "change-secret":
                return await self._change_secret()
            case "top-up":
                return await self._top_up()
        work = {
            "read": self._read,
            "block-read": self._block_read,
            "clock": self._clock,
            "profile": self._profile,
            "image": self._image,
        }[task]
        # A connection whose association was lost is of no use: what is read is read again.
        for left in reversed(range(ATTEMPTS)):
            try:
                async with self._associated(self._keys) as a:
                    return await work(a)
            except (AnswerTimeout, AssociationLost, Refused) as error:
                if not left or (isinstance(error, Refused) and error.result is not None):
                    raise
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def _associated(self, keys: Keys) -> AsyncIterator[Association]:
        told = self._told
        port = told["port"] or None
        options: dict[str, Any] = {
            "client_sap": told["client_sap"],
            "server_sap": told["server_sap"],
            "mechanism": told["mechanism"],
            "keys": keys,
            "suite": told["suite"],
            "ciphered": ApplicationContext[told["context"]].ciphered,
            "max_pdu_size": MAX_PDU_SIZE,
            "counters": self._counters,
        }
        for name in ("own_title", "server_title"):
            if told[name]:
                options[name] = bytes.fromhex(told[name])
        if told["counter_from"]:
            options["counter_from"] = told["counter_from"]
        async with (
            connect(told["host"], port, timeout=told["timeout"], **self._way()) as client,
            client.associate(**options) as a,
        ):
            yield a

    def _way(self) -> dict[str, Any]:
        told = self._told
        match told["way"]:
            case "tls":
                return {"tls": context_of(told["tls"])}
            case "udp":
                return {"udp": True}
            case "hdlc" | "serial" | "optical":
                link = Hdlc(**told["hdlc"], response_timeout=told["timeout"])
                return {"hdlc": link, "optical": told["way"] == "optical"}
        return {}

    # Tasks ----------------------------------------------------------------------------------------

    async def _read(self, a: Association) -> list[Any]:
        return [await read_value(a, one) for one in self._told["read"]]

    async def _block_read(self, a: Association) -> Any:
        return await read_value(a, self._told["block_read"])

    async def _clock(self, a: Association) -> dict[str, object]:
        time = await a.get(*where(self._told["clock"]))
        if not isinstance(time, CosemDateTime):
            raise ValueError(f"the time is no date-time: {time!r}")
        return {"time": plain(time), "status": time.status}

    async def _profile(self, a: Association) -> list[list[object]]:
        rows = await a.get(*where(self._told["profile"]))
        return [[plain(cell) for cell in row.values()] for row in rows]

    async def _image(self, a: Association) -> str:
        image = Transfer(
            image=bytes.fromhex(self._told["image"]),
            what=self._told["image_transfer"],
            pause=PAUSE,
        )
        await a.images(self._told["image_transfer"]).transfer_and_verify(image)
        return "verified"

    async def _rotate(self) -> str:
        in_doubt: Keys | None = None
        try:
            async with self._associated(self._keys) as a:
                setup = a.security_setup(self._told["security_setup"])
                try:
                    await setup.transfer_keys("guek", "gak")
                except (AnswerTimeout, AssociationLost):
                    in_doubt = setup.in_doubt
                    raise
                return "changed"
        except (AnswerTimeout, AssociationLost):
            if in_doubt is None:
                raise
            return await self._which({"changed": in_doubt, "as before": self._keys})

    async def _change_secret(self) -> str:
        secret = _new_secret(self._keys)
        assert self._keys.kek is not None
        try:
            async with self._associated(self._keys) as a:
                wrapped = _wrapped(self._keys.kek, secret)
                await a.invoke(_ASSOCIATION[1], _CHANGE_HLS_SECRET, wrapped, class_id=15)
                return "changed"
        except (AnswerTimeout, AssociationLost):
            changed = replace(self._keys, hls_secret=secret)
            return await self._which({"changed": changed, "as before": self._keys})

    async def _top_up(self) -> str:
        """A Command that was perhaps carried out is not sent again: the meter is asked for what it
        has now.
        """
        told = self._told["top_up"]
        if not told:
            raise ValueError("the meter has no credit to add to")
        before: int | None = None
        try:
            async with self._associated(self._keys) as a:
                before = await self._credit(a)
                await a.invoke(
                    told["instance"],
                    told["method"],
                    double_long(told["amount"]),
                    class_id=told["class_id"],
                )
                return "credited"
        except (DlmsError, OSError) as error:
            refused = isinstance(error, Refused) and error.result is not None
            if before is None or refused:
                raise
        async with self._associated(self._keys) as a:
            added = await self._credit(a) - before
        # Charges go on meanwhile; they are small beside it.
        return "credited" if 2 * added > told["amount"] else "not credited"

    async def _credit(self, a: Association) -> int:
        value = await read_value(a, self._told["top_up"])
        if not isinstance(value, int):
            raise ValueError(f"the credit is no number: {value!r}")
        return value

    async def _which(self, candidates: Mapping[str, Keys]) -> str:
        """Of which keys the meter is: it lets in who has them."""
        problem: Exception | None = None
        for name, keys in candidates.items():
            try:
                async with self._associated(keys) as a:
                    await self._read(a)
                    return name
            except (DlmsError, OSError) as error:
                problem = error
        assert problem is not None
        raise problem


def _new_secret(keys: Keys) -> bytes:
    assert keys.hls_secret is not None
    return secrets.token_bytes(len(keys.hls_secret))


def _wrapped(kek: bytes, secret: bytes) -> bytes:
    ring = KeyRing()
    refs = KeyRef(b"", "own", KeyKind.KEK), KeyRef(b"", "own", KeyKind.HLS_SECRET)
    for ref, octets in zip(refs, (kek, secret), strict=True):
        ring.keep(ref, octets)

    def step() -> Any:
        return (yield Wrap(Use.TRANSFER_KEY, *refs))

    wrapped: bytes = run(step(), SoftwareModule(ring).execute)
    return wrapped


def main(arguments: list[str]) -> int:
    task, file, *kept = arguments
    counters = FiledCounters(CounterFile(Path(kept[0]))) if kept else None
    head_end = OwnHeadEnd(json.loads(Path(file).read_text()), counters)
    try:
        value = asyncio.run(head_end.do(task))
    except (DlmsError, OSError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(value))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
