"""gurux-dlms as the client of every mechanism, in contexts with logical and short names."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest
from gurux_dlms.ecdsa.GXPrivateKey import GXPrivateKey
from gurux_dlms.ecdsa.GXPublicKey import GXPublicKey
from gurux_dlms.enums import Authentication, InterfaceType, Security
from gurux_dlms.GXDLMSException import GXDLMSException
from gurux_dlms.GXReplyData import GXReplyData
from gurux_dlms.objects import GXDLMSData
from gurux_dlms.objects.enums.SecuritySuite import SecuritySuite
from gurux_dlms.secure import GXDLMSSecureClient

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.association.events import AssociationOpened, AuthenticationFailed

_HEADER = 8
CONTEXTS = [ApplicationContext.LN, ApplicationContext.LN_CIPHERED]


class Session:
    """The package's client against one association, APDU by APDU."""

    def __init__(
        self, meter: Any, facts: dict[str, Any], authentication: Any, **options: Any
    ) -> None:
        self.meter = meter
        config = meter.association.config
        names = not config.short_names
        client = GXDLMSSecureClient(
            names, 1, 1, authentication, facts["password"], InterfaceType.WRAPPER
        )
        cipher = client.ciphering
        cipher.systemTitle = facts["client_title"]
        cipher.blockCipherKey = facts["guek"]
        cipher.authenticationKey = facts["gak"]
        cipher.securitySuite = SecuritySuite(config.suite)
        if config.context.ciphered:
            cipher.security = Security.AUTHENTICATION_ENCRYPTION
        if options.get("challenge"):
            client.setCtoSChallenge(options["challenge"])
        if authentication is Authentication.HIGH_ECDSA:
            cipher.signingKeyPair = (
                GXPublicKey.fromRawBytes(bytearray(b"\x04" + facts["meter_public"])),
                GXPrivateKey.fromRawBytes(bytearray(facts["client_scalar"])),
            )
        self.client = client

    def exchange(self, frames: Any) -> Any:
        reply = GXReplyData()
        for frame in [frames] if isinstance(frames, (bytes, bytearray)) else frames:
            reply.clear()
            apdu = self.meter.talk(bytes(frame)[_HEADER:])
            header = b"\x00\x01\x00\x01\x00\x01" + len(apdu).to_bytes(2, "big")
            assert self.client.getData(bytearray(header + apdu), reply)
            if reply.error:
                raise GXDLMSException(reply.error)
        return reply

    def associate(self) -> None:
        reply = self.exchange(self.client.aarqRequest())
        self.client.parseAareResponse(reply.data)
        if self.client.isAuthenticationRequired:
            with contextlib.redirect_stdout(io.StringIO()):  # it prints what it signs with
                reply = self.exchange(self.client.getApplicationAssociationRequest())
                self.client.parseApplicationAssociationResponse(reply.data)

    def read(self) -> bytes:
        short_names = self.meter.association.config.short_names
        target = GXDLMSData("0.0.42.0.0.255", 0xFD00 if short_names else 0)
        reply = self.exchange(self.client.read(target, 2)[0])
        return bytes(reply.value)


def works(meter: Any, facts: dict[str, Any], authentication: Any, **options: Any) -> None:
    session = Session(meter, facts, authentication, **options)
    session.associate()
    assert isinstance(meter.events[-1], AssociationOpened)
    assert session.read() == facts["value"]


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.name)
def test_gurux_low(lab: Any, facts: dict[str, Any], context: ApplicationContext) -> None:
    works(lab(Mechanism.LLS, context=context), facts, Authentication.LOW)


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.name)
def test_gurux_manufacturer(lab: Any, facts: dict[str, Any], context: ApplicationContext) -> None:
    """Its mechanism 2 is that which is commonly deployed; the meter brings a step for it."""
    works(lab(Mechanism.HLS, context=context), facts, Authentication.HIGH)


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.name)
def test_gurux_md5(lab: Any, facts: dict[str, Any], context: ApplicationContext) -> None:
    works(lab(Mechanism.HLS_MD5, context=context), facts, Authentication.HIGH_MD5)


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.name)
def test_gurux_sha1(lab: Any, facts: dict[str, Any], context: ApplicationContext) -> None:
    works(lab(Mechanism.HLS_SHA1, context=context), facts, Authentication.HIGH_SHA1)


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.name)
def test_gurux_gmac(lab: Any, facts: dict[str, Any], context: ApplicationContext) -> None:
    works(lab(Mechanism.HLS_GMAC, context=context), facts, Authentication.HIGH_GMAC)


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.name)
def test_gurux_sha256(lab: Any, facts: dict[str, Any], context: ApplicationContext) -> None:
    works(lab(Mechanism.HLS_SHA256, context=context), facts, Authentication.HIGH_SHA256)


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.name)
def test_gurux_ecdsa(lab: Any, facts: dict[str, Any], context: ApplicationContext) -> None:
    works(
        lab(Mechanism.HLS_ECDSA, context=context, suite=1),
        facts,
        Authentication.HIGH_ECDSA,
        challenge=bytearray(range(32)),
    )


def test_gurux_wrong_secret(lab: Any, facts: dict[str, Any]) -> None:
    meter = lab(Mechanism.HLS_SHA256)
    session = Session(meter, {**facts, "password": b"sixteen octets!?"}, Authentication.HIGH_SHA256)
    with pytest.raises(GXDLMSException):
        session.associate()
    assert isinstance(meter.events[-1], AuthenticationFailed)


def test_gurux_short_names(lab: Any, facts: dict[str, Any]) -> None:
    works(lab(Mechanism.LLS, context=ApplicationContext.SN), facts, Authentication.LOW)
