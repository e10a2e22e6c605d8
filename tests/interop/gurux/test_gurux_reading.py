"""gurux-dlms reads: without keys, with a password, and everything there is to read."""

from __future__ import annotations

import datetime as dt
from functools import reduce
from operator import or_
from typing import Any

import pytest
from gurux_dlms.enums import Conformance, SourceDiagnostic, Unit
from gurux_dlms.GXDLMSException import GXDLMSException
from gurux_dlms.objects import (
    GXDLMSAccount,
    GXDLMSAssociationLogicalName,
    GXDLMSCharge,
    GXDLMSClock,
    GXDLMSCredit,
    GXDLMSData,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
    GXDLMSSapAssignment,
)
from gurux_dlms.objects.enums import AccountCreditStatus, CreditConfiguration

from devices import metrology
from devices.metrology import Quantity
from dlms.association.config import CURRENT_ASSOCIATION
from dlms.cosem import obis
from dlms.cosem.interface_class import InterfaceClass
from dlms.xdlms.descriptors import AttributeDescriptor

CLOCK = "0.0.1.0.0.255"
IMPORT = "1.0.1.8.0.255"
PROFILE = "1.0.99.1.0.255"
READ_WRITE_DENIED, OBJECT_UNDEFINED = 3, 4


def name_of(octets: bytes) -> str:
    return ".".join(str(octet) for octet in octets)


def test_public_association(meter: Any, gurux: Any) -> None:
    session = gurux(meter, "public")
    expected = meter.profile.logical_device_name(meter.address.serial).decode("ascii")
    assert bytes(session.read(GXDLMSData("0.0.42.0.0.255"), 2)).decode("ascii") == expected
    saps = session.read(GXDLMSSapAssignment("0.0.41.0.0.255"), 2)
    assert saps == [(meter.profile.server_sap, expected)]
    session.release()


@pytest.mark.parametrize("association", ["public", "reader", "s1sp", "dco"])
def test_object_list(any_meter: Any, gurux: Any, association: str) -> None:
    """Objects, versions and rights arrive as the profile has them."""
    got = {
        (item.objectType, item.version, item.logicalName): [
            [access(any_meter, item, n) for n in range(1, item.getAttributeCount() + 1)],
            [method_access(any_meter, item, n) for n in range(1, item.getMethodCount() + 1)],
        ]
        for item in gurux(any_meter, association).objects()
    }
    expected = {}
    for row in any_meter.profile.objects.values():
        rights = row.rights.get(association)
        if rights is None:
            continue
        cls = row.interface_class
        numbers = [attribute.number for attribute in cls.attributes]
        expected[cls.class_id, cls.version, name_of(row.instance)] = [
            [rights.attribute(n) for n in (1, *numbers)],
            [int(method.number in rights.methods) for method in cls.methods][: known(cls)],
        ]
    assert got == expected


def as_bits(meter: Any) -> bool:
    """Whether rights are bits, which the package keeps apart (Association LN version 3)."""
    own = meter.profile.objects[CURRENT_ASSOCIATION].interface_class
    return bool(own.version == 3)


def access(meter: Any, item: Any, number: int) -> int:
    return int(item.getAccess3(number) if as_bits(meter) else item.getAccess(number))


def method_access(meter: Any, item: Any, number: int) -> int:
    return int(item.getMethodAccess3(number) if as_bits(meter) else item.getMethodAccess(number))


def known(cls: InterfaceClass) -> int | None:
    """How many methods the package knows: of Profile generic those of version 1."""
    return 2 if (cls.class_id, cls.version) == (7, 0) else None


@pytest.mark.parametrize("association", ["public", "reader", "s1sp", "dco"])
def test_every_readable_attribute(any_meter: Any, gurux: Any, association: str) -> None:
    """The object list alone says what to read; all of it can be read and parsed."""
    session = gurux(any_meter, association)
    got = set()
    for item in session.objects():
        # The package reads a profile's buffer only after its capture objects.
        for number in range(item.getAttributeCount(), 0, -1):
            if access(any_meter, item, number) & 1:
                session.read(item, number)
                instance = bytes(int(part) for part in item.logicalName.split("."))
                got.add(AttributeDescriptor(int(item.objectType), instance, number))
    assert got == set(any_meter.readable(association))


def test_association_object(meter: Any, gurux: Any) -> None:
    session = gurux(meter, "s1sp")
    association = GXDLMSAssociationLogicalName()
    for number in range(9, 2, -1):
        if number != 7:
            session.read(association, number)
    config = meter.profile.associations["s1sp"].config
    assert (association.clientSAP, association.serverSAP) == (config.client_sap, config.server_sap)
    # Of the names the package keeps the last four arcs when they come as an octet-string.
    context, mechanism = association.applicationContextName, association.authenticationMechanismName
    assert (context.dlmsUA, context.applicationContext, context.contextId) == (8, 1, 3)
    assert (mechanism.dlmsUA, mechanism.authenticationMechanismName, mechanism.mechanismId) == (
        8, 2, 5,
    )  # fmt: skip
    names = {"ATTRIBUTE0_WITH_GET": "ATTRIBUTE_0_SUPPORTED_WITH_GET"}
    assert association.xDLMSContextInfo.conformance == reduce(
        or_, (Conformance[names.get(str(one.name), str(one.name))] for one in config.conformance)
    )
    assert association.xDLMSContextInfo.maxReceivePduSize == config.max_pdu_size
    assert association.associationStatus == 2
    assert association.securitySetupReference == "0.0.43.0.1.255"


def test_registers_with_scaler(meter: Any, gurux: Any) -> None:
    session = gurux(meter, "s1sp")
    seed = meter.device.seed
    energy = GXDLMSRegister(IMPORT)
    session.read(energy, 3)
    assert session.read(energy, 2) == metrology.cumulative(seed, Quantity.IMPORT, meter.now)
    assert (energy.scaler, energy.unit) == (1, Unit.ACTIVE_ENERGY)
    if obis.parse("1-0:32.7.0.255") not in meter.profile.objects:
        return
    voltage = GXDLMSRegister("1.0.32.7.0.255")
    session.read(voltage, 3)
    # The package applies the scaler: tenths of a volt become volts.
    expected = metrology.voltage(seed, meter.now) / 10
    assert session.read(voltage, 2) == pytest.approx(expected)
    assert voltage.unit == Unit.VOLTAGE


def test_clock(meter: Any, gurux: Any) -> None:
    session = gurux(meter, "reader")
    clock = GXDLMSClock(CLOCK)
    session.read(clock, 2)
    assert clock.time.value == meter.now
    assert session.read(clock, 3) == 0
    assert session.read(clock, 8) is (meter.profile.name == "landis_gyr")
    session.read(clock, 5)
    assert (clock.begin.value.month, clock.begin.value.hour) == (3, 1)


def test_account(meter: Any, gurux: Any) -> None:
    session = gurux(meter, "s1sp")
    account = GXDLMSAccount()
    for number in range(2, account.getAttributeCount() + 1):
        session.read(account, number)
    balance = meter.stored("0.0.19.10.0.255", 2).value
    assert (account.paymentMode, account.accountStatus) == (2, 2)
    assert account.availableCredit == balance
    assert account.amountToClear == max(0, -balance)
    threshold = meter.stored("0.0.19.0.0.255", 16).value
    status = AccountCreditStatus.NEXT_CREDIT_SELECTABLE  # emergency credit: nobody has a pound
    if balance <= 0:
        status |= AccountCreditStatus.OUT_OF_CREDIT
    elif balance <= threshold:
        status |= AccountCreditStatus.IN_CREDIT | AccountCreditStatus.LOW_CREDIT
    assert account.currentCreditStatus == status
    assert account.creditReferences == ["0.0.19.10.0.255", "0.0.19.10.1.255"]
    assert account.currency.name == "GBP"
    assert account.currency.scale == meter.profile.currency_scale
    assert account.tokenGatewayConfigurations[0].tokenProportion == 100


def test_credit_and_charge(meter: Any, gurux: Any) -> None:
    session = gurux(meter, "s1sp")
    credit = GXDLMSCredit("0.0.19.10.1.255")
    for number in range(2, credit.getAttributeCount() + 1):
        session.read(credit, number)
    assert credit.currentCreditAmount == meter.stored("0.0.19.10.1.255", 2).value
    assert credit.creditConfiguration == (
        CreditConfiguration.VISUAL
        | CreditConfiguration.CONFIRMATION
        | CreditConfiguration.PAID_BACK
    )
    charge = GXDLMSCharge("0.0.19.20.0.255")
    for number in range(2, charge.getAttributeCount() + 1):
        session.read(charge, number)
    assert charge.unitChargeActive.chargePerUnitScaling.priceScale == -5
    assert charge.unitChargeActive.chargeTables[0].chargePerUnit == 15
    assert charge.period == 1800


def test_profile_buffer(meter: Any, gurux: Any) -> None:
    session = gurux(meter, "reader")
    profile = load_profile(session)
    rows = session.read(profile, 2)
    assert len(rows) == session.read(profile, 7) == 48
    times = [row[0].value for row in rows]
    last = meter.now.replace(minute=30, second=0, microsecond=0)
    assert times == [last - dt.timedelta(minutes=30 * back) for back in range(47, -1, -1)]
    seed = meter.device.seed
    assert [row[1] for row in rows] == [
        metrology.cumulative(seed, Quantity.IMPORT, time) for time in times
    ]


def test_profile_by_range(meter: Any, gurux: Any) -> None:
    session = gurux(meter, "s1sp")
    profile = load_profile(session)
    times = [row[0].value for row in session.read(profile, 2)]
    reply = session.exchange(session.client.readRowsByRange(profile, times[5], times[9]))
    rows = session.client.updateValue(profile, 2, reply.value)
    assert [row[0].value for row in rows] == times[5:10]
    # One column of two.
    columns = [profile.captureObjects[1]]
    reply = session.exchange(session.client.readRowsByRange(profile, times[5], times[9], columns))
    assert reply.value == [[row[1]] for row in rows]


def test_profile_by_entry(meter: Any, gurux: Any) -> None:
    session = gurux(meter, "s1sp")
    profile = load_profile(session)
    times = [row[0].value for row in session.read(profile, 2)]
    reply = session.exchange(session.client.readRowsByEntry(profile, 3, 4))
    rows = session.client.updateValue(profile, 2, reply.value)
    assert [row[0].value for row in rows] == times[2:6]
    reply = session.exchange(
        session.client.readRowsByEntry(profile, 3, 4, [profile.captureObjects[0]])
    )
    assert [len(row) for row in reply.value] == [1, 1, 1, 1]


def test_later_columns_by_entry(aclara: Any, gurux: Any) -> None:
    """The client sends how many columns where the last column's number is due: it gets none."""
    session = gurux(aclara, "s1sp")
    profile = load_profile(session)
    reply = session.exchange(
        session.client.readRowsByEntry(profile, 1, 2, [profile.captureObjects[1]])
    )
    assert reply.value == [[], []]


def load_profile(session: Any) -> Any:
    profile = GXDLMSProfileGeneric(PROFILE)
    session.read(profile, 3)
    session.read(profile, 6)
    return profile


def test_lls(meter: Any, gurux: Any) -> None:
    session = gurux(meter, "reader")
    assert session.read(GXDLMSData("0.0.42.0.0.255"), 2)
    session.release()


def test_lls_wrong_password(meter: Any, gurux: Any) -> None:
    session = gurux(meter, "reader", associate=False, password=b"wrong---")
    with pytest.raises(GXDLMSException) as caught:
        session.associate()
    assert caught.value.diagnostic == SourceDiagnostic.AUTHENTICATION_FAILURE


def test_access_errors(aclara: Any, gurux: Any) -> None:
    """A refusal is an answer: the association goes on."""
    session = gurux(aclara, "reader")
    with pytest.raises(GXDLMSException) as caught:
        session.read(GXDLMSAccount(), 5)
    assert caught.value.errorCode == OBJECT_UNDEFINED
    with pytest.raises(GXDLMSException) as caught:
        session.read(GXDLMSAssociationLogicalName(), 7)
    assert caught.value.errorCode == READ_WRITE_DENIED
    assert session.read(GXDLMSData("0.0.42.0.0.255"), 2)
