"""gurux-dlms decodes what our head end sends: every APDU of a visit, with the keys."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from gurux_dlms.enums import Security
from gurux_dlms.GXCiphering import GXCiphering
from gurux_dlms.GXDLMSTranslator import GXDLMSTranslator

from dlms.axdr.data import Data
from dlms.axdr.encoding import encode
from dlms.xdlms import registry
from dlms.xdlms.action import ActionRequest
from dlms.xdlms.get import GetRequest
from dlms.xdlms.initiate import InitiateRequest
from emulator.head_end.party import TITLES

_DECRYPTED = re.compile(r"Decrypt data: ([0-9A-F ]+)")
_TAGS = {0xC0: "GetRequestNormal", 0xC1: "SetRequestNormal", 0xC3: "ActionRequestNormal"}


def translator(sealed: Any = None) -> GXDLMSTranslator:
    made = GXDLMSTranslator()
    if sealed is not None:
        made.comments = True
        made.security = Security.AUTHENTICATION_ENCRYPTION
        made.systemTitle = sealed.title
        made.blockCipherKey = made.dedicatedKey = sealed.ek
        # Needed even where nothing is authenticated with it.
        made.authenticationKey = sealed.ak or bytes(16)
    return made


def value(element: ElementTree.Element, tag: str) -> str:
    found = element.find(f".//{tag}")
    assert found is not None, tag
    return found.attrib["Value"]


def check_service(plain: bytes) -> None:
    """The package's XML says what our codec says."""
    request = registry.REQUESTS[plain[0]].decode(plain)
    xml = ElementTree.fromstring(GXDLMSTranslator().pduToXml(plain))
    normal = xml if xml.tag == _TAGS[plain[0]] else xml.find(_TAGS[plain[0]])
    assert normal is not None
    assert int(value(normal, "InvokeIdAndPriority"), 16) == request.invoke
    if isinstance(request, ActionRequest):
        target, number = request.method, request.method.method
        shown = value(normal, "MethodId")
    else:
        target, number = request.attribute, request.attribute.attribute
        shown = value(normal, "AttributeId")
    assert int(value(normal, "ClassId"), 16) == target.class_id
    assert bytes.fromhex(value(normal, "InstanceId")) == target.instance
    assert int(shown, 16) == number
    if isinstance(request, GetRequest):
        return
    is_action = isinstance(request, ActionRequest)
    sent = request.parameter if is_action else request.value
    assert sent is not None
    holder = normal.find("MethodInvocationParameters" if is_action else "Value")
    assert holder is not None
    assert [leaf.attrib["Value"] for leaf in holder.iter() if len(leaf) == 0] == leaves(sent)


def leaves(data: Data) -> list[str]:
    """The simple values inside ``data``, each in hexadecimal without tag and length."""
    if isinstance(data.value, tuple):
        return [leaf for part in data.value for leaf in leaves(part)]
    octets = data.value if isinstance(data.value, bytes) else encode(data)[1:]
    return [octets.hex().upper()]


def test_gurux_decodes_services(visit: Any) -> None:
    assert len(visit.services) > 10
    for sealed in visit.services:
        found = _DECRYPTED.search(translator(sealed).pduToXml(sealed.apdu))
        assert found is not None
        assert bytes.fromhex(found[1]) == sealed.plain
        check_service(sealed.plain)
    assert {sealed.plain[0] for sealed in visit.services} == set(_TAGS)


def test_gurux_decodes_plain_services(visit: Any) -> None:
    """The counters, asked of the public client."""
    assert len(visit.plain_services) == 2
    for plain in visit.plain_services:
        check_service(plain)


def test_gurux_decodes_aarq(visit: Any) -> None:
    for aarq, sealed in visit.aarqs:
        text = translator(sealed).pduToXml(aarq)
        xml = ElementTree.fromstring(text)
        if sealed is None:
            assert value(xml, "ApplicationContextName") == "LN"
            assert value(xml, "ProposedDlmsVersionNumber") == "06"
            continue
        assert value(xml, "ApplicationContextName") == "LN_WITH_CIPHERING"
        assert value(xml, "MechanismName") == "HighGmac"
        assert bytes.fromhex(value(xml, "CallingAPTitle")) == sealed.title
        assert sealed.title in TITLES.values()
        assert len(bytes.fromhex(value(xml, "CallingAuthentication"))) == 16
        assert bytes.fromhex(value(xml, "glo_InitiateRequest")) == sealed.apdu[2:]
        assert f"Invocation Counter: {sealed.counter}" in text
        initiate = InitiateRequest.decode(sealed.plain)
        inside = re.search(r"<InitiateRequest>.*</InitiateRequest>", text, re.DOTALL)
        assert inside is not None
        shown = ElementTree.fromstring(inside[0])
        bits = {bit.attrib["Name"] for bit in shown.iter("ConformanceBit")}
        assert {"Get", "Set", "Action", "GeneralProtection"} <= bits
        dedicated = shown.find("DedicatedKey")
        assert (initiate.dedicated_key is None) == (dedicated is None)
        if dedicated is not None:
            assert bytes.fromhex(dedicated.attrib["Value"]) == initiate.dedicated_key


def test_gurux_decodes_rlrq(visit: Any) -> None:
    assert len(visit.rlrqs) == len(visit.aarqs)
    for rlrq, sealed in visit.rlrqs:
        text = translator(sealed).pduToXml(rlrq)
        assert value(ElementTree.fromstring(text), "Reason") == "Normal"
        assert ("<InitiateRequest>" in text) == (sealed is not None)


def test_gurux_computes_gmac(visit: Any) -> None:
    """The package's own f(challenge) is ours."""
    assert visit.challenged
    for made in visit.challenged:
        cipher = GXCiphering(made.title)
        cipher.blockCipherKey = made.ek
        cipher.authenticationKey = made.ak
        cipher.invocationCounter = made.counter
        expected = bytes((made.control,)) + made.counter.to_bytes(4, "big") + made.tag
        assert bytes(cipher.generateGmacPassword(made.challenge)) == expected
