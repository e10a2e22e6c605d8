"""gurux-dlms changes meters: clock, credit, supply, keys, policy. Each test has its own meter."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from gurux_dlms import GXDateTime
from gurux_dlms.enums import DataType
from gurux_dlms.GXDLMSException import GXDLMSException
from gurux_dlms.objects import (
    GXDLMSClock,
    GXDLMSCredit,
    GXDLMSDisconnectControl,
    GXDLMSSecuritySetup,
    GXDLMSTokenGateway,
)
from gurux_dlms.objects.enums import GlobalKeyType, SecurityPolicy0
from gurux_dlms.secure import GXDLMSSecureClient

from devices.objects.token_gateway import TOKEN_SCOPE
from devices.profile import available
from devices.token import make_token
from dlms.security.control import Protection
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from emulator.modules.software import SoftwareModule

READ_WRITE_DENIED, OTHER_REASON = 3, 250
TOKEN_CREDIT = "0.0.19.10.0.255"
NEW_KEY = bytes(range(0x60, 0x70))


@pytest.fixture(params=available())
def own_meter(request: pytest.FixtureRequest, fresh: Any) -> Any:
    return fresh(request.param)


def test_write_clock(own_meter: Any, gurux: Any) -> None:
    session = gurux(own_meter, "dco")
    clock = GXDLMSClock()
    wanted = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    clock.time = GXDateTime(wanted)
    session.write(clock, 2)
    session.read(clock, 2)
    assert clock.time.value == wanted
    assert own_meter.device.state.clock_offset == wanted - own_meter.now


def test_write_without_the_right(aclara: Any, gurux: Any) -> None:
    session = gurux(aclara, "s1sp")
    clock = GXDLMSClock()
    clock.time = GXDateTime(dt.datetime(2030, 1, 2, tzinfo=dt.UTC))
    with pytest.raises(GXDLMSException) as caught:
        session.write(clock, 2)
    assert caught.value.errorCode == READ_WRITE_DENIED


def test_shift_clock(fresh: Any, gurux: Any) -> None:
    meter = fresh()
    session = gurux(meter, "dco")
    session.exchange(GXDLMSClock().shiftTime(session.client, 600))
    assert meter.device.state.clock_offset == dt.timedelta(seconds=600)


def test_update_credit(own_meter: Any, gurux: Any) -> None:
    before = own_meter.stored(TOKEN_CREDIT, 2).value
    session = gurux(own_meter, "s1sp")
    credit = GXDLMSCredit(TOKEN_CREDIT)
    session.exchange(credit.updateAmount(session.client, 500))
    session.read(credit, 2)
    assert credit.currentCreditAmount == own_meter.stored(TOKEN_CREDIT, 2).value == before + 500


def test_too_much_credit(own_meter: Any, gurux: Any) -> None:
    before = own_meter.stored(TOKEN_CREDIT, 2).value
    session = gurux(own_meter, "s1sp")
    amount = own_meter.profile.max_credit + 1
    with pytest.raises(GXDLMSException) as caught:
        session.exchange(GXDLMSCredit(TOKEN_CREDIT).updateAmount(session.client, amount))
    assert caught.value.errorCode == OTHER_REASON
    assert own_meter.stored(TOKEN_CREDIT, 2).value == before


def test_enter_token(own_meter: Any, gurux: Any) -> None:
    meter = own_meter
    key = KeyRef(meter.address.title, TOKEN_SCOPE, KeyKind.TOKEN)
    digits = run(make_token(1000, 7, key, meter.address.title), SoftwareModule(meter.ring).execute)
    before = meter.stored(TOKEN_CREDIT, 2).value
    session = gurux(meter, "s1sp")
    gateway = GXDLMSTokenGateway()
    session.invoke(gateway, 1, digits.encode("ascii"), DataType.OCTET_STRING)
    ten_pounds = 10 * 10**-meter.profile.currency_scale
    assert meter.stored(TOKEN_CREDIT, 2).value == before + ten_pounds
    session.read(gateway, 2)
    assert bytes(gateway.token).decode("ascii") == digits


def test_disconnect_control(own_meter: Any, gurux: Any) -> None:
    session = gurux(own_meter, "dco")
    control = GXDLMSDisconnectControl("0.0.96.3.10.255")
    control.controlMode = 7
    session.write(control, 4)
    session.exchange(control.remoteReconnect(session.client))
    session.read(control, 3)
    assert control.controlState == 1
    session.exchange(control.remoteDisconnect(session.client))
    session.read(control, 2)
    assert control.outputState is False


@pytest.mark.parametrize(
    ("kind", "attribute"),
    [
        (GlobalKeyType.UNICAST_ENCRYPTION, "blockCipherKey"),
        (GlobalKeyType.AUTHENTICATION, "authenticationKey"),
    ],
)
def test_key_transfer(fresh: Any, gurux: Any, kind: GlobalKeyType, attribute: str) -> None:
    """Wrapped by the package under the master key; the response still comes under the old key."""
    meter = fresh()
    session = gurux(meter, "dco")
    kek = meter.ring.get(KeyRef(meter.address.title, "dco", KeyKind.KEK))
    setup = GXDLMSSecuritySetup("0.0.43.0.2.255")
    session.exchange(setup.globalKeyTransfer(session.client, kek, [(kind, NEW_KEY)]))
    setattr(session.client.ciphering, attribute, bytearray(NEW_KEY))
    if kind == GlobalKeyType.UNICAST_ENCRYPTION:
        session.client.ciphering.invocationCounter = 0
    clock = GXDLMSClock()
    session.read(clock, 2)
    assert clock.time.value is not None


def test_key_transfer_wrong_master_key(fresh: Any, gurux: Any) -> None:
    meter = fresh()
    session = gurux(meter, "dco")
    setup = GXDLMSSecuritySetup("0.0.43.0.2.255")
    key = (GlobalKeyType.AUTHENTICATION, NEW_KEY)
    with pytest.raises(GXDLMSException) as caught:
        session.exchange(setup.globalKeyTransfer(session.client, bytes(16), [key]))
    assert caught.value.errorCode == OTHER_REASON
    assert not meter.device.state.key_versions


def test_key_wrap_functions(aclara: Any) -> None:
    """The package's own wrapping and ours are the same (RFC 3394)."""
    kek = aclara.ring.get(KeyRef(aclara.address.title, "dco", KeyKind.KEK))
    key = aclara.ring.get(KeyRef(aclara.address.title, "dco", KeyKind.GUEK))
    assert bytes(GXDLMSSecureClient.encrypt(kek, key)) == aes_key_wrap(kek, key)


def test_activate_policy(fresh: Any, gurux: Any) -> None:
    meter = fresh("aclara", policy=Protection.AUTHENTICATED)
    session = gurux(meter, "s1sp")
    setup = GXDLMSSecuritySetup("0.0.43.0.1.255")
    assert session.read(setup, 2) == SecurityPolicy0.AUTHENTICATED
    operator = gurux(meter, "dco")
    operator.exchange(setup.activate(operator.client, SecurityPolicy0.AUTHENTICATED_ENCRYPTED))
    assert session.read(setup, 2) == SecurityPolicy0.AUTHENTICATED_ENCRYPTED
