"""A head end of its own kind, with hand-made cryptography, that looks at everything it should; and
that can be told not to look: each carelessness is what a real one gets wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dlms.acse.aare import Aare
from dlms.acse.aarq import Aarq
from dlms.acse.codes import AssociationResult, ReleaseRequestReason, UserDiagnostic
from dlms.acse.fields import AuthenticationValue
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.acse.release import Rlrq
from dlms.association.config import PASS_3
from dlms.axdr import read_data
from dlms.axdr.data import Data, DataType, octet_string
from dlms.errors import DlmsError
from dlms.octets import Reader
from dlms.security.ciphered import Family, Form, decode_ciphered, encode_ciphered, is_ciphered
from dlms.xdlms import registry
from dlms.xdlms.action import ActionRequest, ActionResponse
from dlms.xdlms.conformance import Conformance
from dlms.xdlms.data_notification import DataNotification
from dlms.xdlms.descriptors import AttributeDescriptor
from dlms.xdlms.errors import ExceptionResponse
from dlms.xdlms.get import GetRequest, GetRequestNext, GetResponse, GetResponseBlock
from dlms.xdlms.initiate import InitiateRequest, InitiateResponse
from emulator.conformance.hostile.head_end import Outcome
from emulator.conformance.hostile.material import Material

MAX_PDU = 512
MOST = 100_000
"""Octets of a value."""
SERVICES = (
    Conformance.GET
    | Conformance.ACTION
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.DATA_NOTIFICATION
    | Conformance.GENERAL_PROTECTION
)
_BOTH, _AUTHENTICATED, _TAG = 0x30, 0x10, 12
_EXCEPTION = 0xD8


class Refuse(Exception):
    """It does not take that."""


def naive(*careless: str) -> Callable[[str, str, int, Material], Awaitable[Outcome]]:
    """A head end for the tasks read and block-read, over TCP, in suite 0 with GMAC."""

    async def do(task: str, host: str, port: int, material: Material) -> Outcome:
        head_end = NaiveHeadEnd(material, frozenset(careless))
        try:
            return Outcome(ok=True, value=await head_end.do(task))
        except (Refuse, DlmsError, OSError, ValueError, EOFError) as error:
            return Outcome(ok=False, why=f"{type(error).__name__}: {error}")

    return do


class NaiveHeadEnd:
    def __init__(self, told: Material, careless: frozenset[str]) -> None:
        self.told = told
        self.careless = careless
        self.counter = 10
        self.floor = 1 if "zero-is-none" in careless else 0
        self.invoke = 0
        self.peer = told.server_title
        self.reader: Any = None
        self.writer: Any = None

    def unless(self, carelessness: str, wrong: object, why: str) -> None:
        if wrong and carelessness not in self.careless:
            raise Refuse(why)

    async def do(self, task: str) -> Any:
        for left in (1, 0):
            try:
                return await self._once(task)
            except (TimeoutError, EOFError):
                if not left:
                    raise
        raise AssertionError("unreachable")

    async def _once(self, task: str) -> Any:
        self.reader, self.writer = await asyncio.open_connection(self.told.host, self.told.port)
        try:
            await self.associate()
            wanted = self.told.read if task == "read" else (self.told.block_read,)
            values = [await self.get(one) for one in wanted]
            user = self.sealed(self.initiate.encode())
            await self.exchange(
                Rlrq(reason=ReleaseRequestReason.NORMAL, user_information=user).encode()
            )
        finally:
            self.writer.close()
        return json.loads(json.dumps(values if task == "read" else values[0]))

    # Octets -----------------------------------------------------------------------------------

    async def exchange(self, apdu: bytes) -> bytes:
        told = self.told
        head = (1, told.client_sap, told.server_sap, len(apdu))
        self.writer.write(b"".join(part.to_bytes(2, "big") for part in head) + apdu)
        return await self.next()

    async def next(self) -> bytes:
        if "no-time-out" in self.careless:
            # What comes at once is taken for all there is, and the rest is awaited for ever.
            octets = await self.reader.read(4096)
            while int.from_bytes(octets[6:8], "big") != len(octets) - 8:
                octets = await self.reader.read(4096)
            return octets[8:]
        async with asyncio.timeout(self.told.timeout):
            head = await self.reader.readexactly(8)
            return await self.reader.readexactly(int.from_bytes(head[6:], "big"))

    # Protection -------------------------------------------------------------------------------

    def _cipher(self, control: int) -> tuple[AESGCM, bytes]:
        secrets = self.told.secrets
        return AESGCM(secrets["guek"]), bytes((control,)) + secrets["gak"]

    def burn(self) -> int:
        self.counter += 1
        return self.counter

    def sealed(self, plain: bytes) -> bytes:
        counter = self.burn()
        cipher, aad = self._cipher(_BOTH)
        iv = self.told.own_title + counter.to_bytes(4, "big")
        body = cipher.encrypt(iv, plain, aad)[: len(plain) + _TAG]
        title = self.told.own_title
        return encode_ciphered(plain[0], Family.GLOBAL, Form.SERVICE, _BOTH, counter, body, title)

    def opened(self, octets: bytes) -> bytes:
        if not is_ciphered(octets[0]):
            self.unless("plain-responses", octets[0] != _EXCEPTION, "a plain response")
            return octets
        ciphered = decode_ciphered(octets)
        cipher, aad = self._cipher(ciphered.control)
        iv = self.peer + ciphered.counter.to_bytes(4, "big")
        body, tag = ciphered.body[:-_TAG], ciphered.body[-_TAG:]
        plain = cipher.encrypt(iv, body, None)[: len(body)]
        right = cipher.encrypt(iv, plain, aad)[len(body) :][:_TAG]
        self.unless("tags", right != tag, "the tag is wrong")
        low = ciphered.counter < self.floor
        if "zero-is-none" not in self.careless or ciphered.counter:
            self.unless("counters", low, "the counter is too low")
        elif low:
            raise Refuse("there is no counter")
        self.floor = max(self.floor, ciphered.counter + 1)
        return plain

    def f(self, title: bytes, counter: int, challenge: bytes) -> bytes:
        cipher, aad = self._cipher(_AUTHENTICATED)
        iv = title + counter.to_bytes(4, "big")
        tag = cipher.encrypt(iv, b"", aad + challenge)[:_TAG]
        return bytes((_AUTHENTICATED,)) + counter.to_bytes(4, "big") + tag

    # Association ------------------------------------------------------------------------------

    async def associate(self) -> None:
        told, ctos = self.told, os.urandom(16)
        self.initiate = InitiateRequest(SERVICES, MAX_PDU)
        aarq = Aarq(
            application_context_name=ApplicationContext.LN_CIPHERED.oid,
            calling_ap_title=told.own_title,
            sender_acse_requirements=True,
            mechanism_name=Mechanism.HLS_GMAC.oid,
            calling_authentication_value=AuthenticationValue(ctos),
            user_information=self.sealed(self.initiate.encode()),
        )
        aare = Aare.decode(await self.exchange(aarq.encode()))
        if aare.result is not AssociationResult.ACCEPTED:
            raise Refuse("the meter refuses")
        context = ApplicationContext.from_oid(aare.application_context_name)
        self.unless("context", context is not ApplicationContext.LN_CIPHERED, "another context")
        mechanism = aare.mechanism_name
        self.unless("mechanism", mechanism != Mechanism.HLS_GMAC.oid, "another mechanism")
        title = aare.responding_ap_title
        self.unless("no-title", title is None, "no title")
        self.unless("other-title", title not in (None, told.server_title), "another title")
        self.peer = title or told.server_title
        initiate = InitiateResponse.decode(self.opened(aare.user_information or b""))
        more = initiate.conformance | SERVICES != SERVICES
        self.unless("conformance", more, "services that were not proposed")
        if "mechanism" in self.careless and aare.diagnostic is UserDiagnostic.NULL:
            return
        value = aare.responding_authentication_value
        stoc = b"" if value is None else value.octets
        self.unless("own-challenge", stoc == ctos, "the challenge is our own")
        pass_3 = ActionRequest(
            0xC1, PASS_3, octet_string(self.f(told.own_title, self.burn(), stoc))
        )
        response = registry.decode(self.opened(await self.exchange(self.sealed(pass_3.encode()))))
        if not isinstance(response, ActionResponse) or response.result:
            raise Refuse("the meter refuses pass 3")
        returned = response.returned
        theirs = returned.value if isinstance(returned, Data) else b""
        assert isinstance(theirs, bytes)
        right = self.f(self.peer, int.from_bytes(theirs[1:5], "big"), ctos)
        self.unless("pass-4", theirs != right, "the meter has not authenticated itself")

    # Reading ----------------------------------------------------------------------------------

    async def get(self, attribute: AttributeDescriptor) -> str:
        self.invoke = (self.invoke + 1) % 16
        request: Any = GetRequest(0xC0 | self.invoke, attribute)
        raw, number = b"", 0
        while True:
            response = await self.ask(request)
            if isinstance(response, GetResponse) and isinstance(response.result, Data):
                return self._text(response.result)
            if not isinstance(response, GetResponseBlock) or not isinstance(response.result, bytes):
                raise Refuse(f"no value: {type(response).__name__}")
            number += 1
            self.unless("block-numbers", response.number != number, "another block")
            raw += response.result
            self.unless("blocks-without-end", len(raw) > MOST, "too much")
            if response.last:
                return self._text(read_data(Reader(raw)))
            request = GetRequestNext(request.invoke, response.number)

    def _text(self, data: Data) -> str:
        if data.type is not DataType.OCTET_STRING or not isinstance(data.value, bytes):
            raise Refuse("no octet-string")
        return data.value.hex()

    async def ask(self, request: Any) -> Any:
        apdu = self.sealed(request.encode())
        try:
            octets = await self.exchange(apdu)
        except TimeoutError:
            if "asks-again-with-the-same" not in self.careless:
                raise
            octets = await self.exchange(apdu)
        while True:
            self.unless("length", len(octets) > MAX_PDU, "longer than we take")
            plain = self.opened(octets)
            if plain[0] == _EXCEPTION:
                said = ExceptionResponse.decode(plain).invocation_counter
                if "believes-counters" not in self.careless or said is None:
                    raise Refuse("an exception")
                self.counter = said - 1
                return await self.ask(request)
            response: Any = registry.decode(plain)
            if not isinstance(response, DataNotification):
                break
            if "notifications" in self.careless:
                raise Refuse("that is no response")
            octets = await self.next()
        other = response.invoke & 0x0F != request.invoke & 0x0F
        self.unless("invoke-ids", other, "another invoke id")
        return response
