"""dlms-cosem changes meters: clock, credit, supply, keys. Each test has its own meter."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from dlms_cosem import dlms_data
from dlms_cosem.client import ActionError
from dlms_cosem.enumerations import CosemInterface, DataAccessResult
from dlms_cosem.security import SecurityControlField, unwrap_key, wrap_key
from dlms_cosem.time import datetime_to_bytes

from devices.objects.token_gateway import TOKEN_SCOPE
from devices.profile import available
from devices.token import make_token
from dlms.security.drive import run
from dlms.security.keys import KeyKind, KeyRef
from emulator.modules.software import SoftwareModule

CLOCK = CosemInterface.CLOCK, "0.0.1.0.0"
TOKEN_CREDIT = CosemInterface.CREDIT, "0.0.19.10.0"
CONTROL = CosemInterface.DISCONNECT_CONTROL, "0.0.96.3.10"
GATEWAY = CosemInterface.TOKEN_GATEWAY, "0.0.19.40.0"
NEW_KEY = bytes(range(0x60, 0x70))
SUITE_0 = SecurityControlField(0)


@pytest.fixture(params=available())
def own_meter(request: pytest.FixtureRequest, fresh: Any) -> Any:
    return fresh(request.param)


def clock_octets(moment: dt.datetime) -> bytes:
    octets: bytes = dlms_data.OctetStringData(datetime_to_bytes(moment)).to_bytes()
    return octets


def test_write_clock(own_meter: Any, cosem: Any) -> None:
    session = cosem(own_meter, "dco")
    wanted = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    answer = session.write(*CLOCK, 2, clock_octets(wanted))
    assert answer.result is DataAccessResult.SUCCESS
    assert own_meter.device.state.clock_offset == wanted - own_meter.now


def test_write_without_the_right(aclara: Any, cosem: Any) -> None:
    session = cosem(aclara, "s1sp")
    answer = session.write(*CLOCK, 2, clock_octets(dt.datetime(2030, 1, 2, tzinfo=dt.UTC)))
    assert answer.result is DataAccessResult.READ_WRITE_DENIED


def test_update_credit(own_meter: Any, cosem: Any) -> None:
    before = own_meter.stored("0.0.19.10.0.255", 2).value
    session = cosem(own_meter, "s1sp")
    session.invoke(*TOKEN_CREDIT, 1, dlms_data.DoubleLongData(500).to_bytes())
    assert session.read(*TOKEN_CREDIT, 2) == before + 500
    assert own_meter.stored("0.0.19.10.0.255", 2).value == before + 500


def test_too_much_credit(own_meter: Any, cosem: Any) -> None:
    before = own_meter.stored("0.0.19.10.0.255", 2).value
    amount = dlms_data.DoubleLongData(own_meter.profile.max_credit + 1).to_bytes()
    with pytest.raises(ActionError, match="OTHER_REASON"):
        cosem(own_meter, "s1sp").invoke(*TOKEN_CREDIT, 1, amount)
    assert own_meter.stored("0.0.19.10.0.255", 2).value == before


def test_enter_token(own_meter: Any, cosem: Any) -> None:
    title = own_meter.address.title
    key = KeyRef(title, TOKEN_SCOPE, KeyKind.TOKEN)
    digits = run(make_token(1000, 7, key, title), SoftwareModule(own_meter.ring).execute)
    before = own_meter.stored("0.0.19.10.0.255", 2).value
    parameter = dlms_data.OctetStringData(digits.encode("ascii")).to_bytes()
    cosem(own_meter, "s1sp").invoke(*GATEWAY, 1, parameter)
    ten_pounds = 10 * 10**-own_meter.profile.currency_scale
    assert own_meter.stored("0.0.19.10.0.255", 2).value == before + ten_pounds


def test_disconnect_control(own_meter: Any, cosem: Any) -> None:
    session = cosem(own_meter, "dco")
    zero = dlms_data.IntegerData(0).to_bytes()
    mode = dlms_data.EnumData(7).to_bytes()
    assert session.write(*CONTROL, 4, mode).result is DataAccessResult.SUCCESS
    session.invoke(*CONTROL, 2, zero)
    assert session.read(*CONTROL, 3) == 1
    session.invoke(*CONTROL, 1, zero)
    assert session.read(*CONTROL, 2) is False


def test_key_transfer(fresh: Any, cosem: Any) -> None:
    """Wrapped by the package's own function under the master key."""
    meter = fresh()
    session = cosem(meter, "dco")
    kek = meter.ring.get(KeyRef(meter.address.title, "dco", KeyKind.KEK))
    wrapped = wrap_key(SUITE_0, kek, NEW_KEY)
    parameter = b"\x01\x01\x02\x02\x16\x02\x09\x18" + wrapped
    session.invoke(CosemInterface.SECURITY_SETUP, "0.0.43.0.2", 2, parameter)
    session.client.dlms_connection.global_authentication_key = NEW_KEY
    assert len(session.read(*CLOCK, 2)) == 12


def test_key_wrap_functions(aclara: Any) -> None:
    """The package wraps, and cannot unwrap: it wants the wrapped key as long as the key."""
    kek = aclara.ring.get(KeyRef(aclara.address.title, "dco", KeyKind.KEK))
    wrapped = wrap_key(SUITE_0, kek, NEW_KEY)
    with pytest.raises(ValueError, match="length 24"):
        unwrap_key(SUITE_0, kek, wrapped)
