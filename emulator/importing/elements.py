"""Which elements of a Gurux object dump are which attributes, by interface class.

The names are those that gurux-dlms 1.0.203 and GXDLMSDirector write: facts of a file format, found
by writing dumps. Attributes that the meter computes are left out, and so are those of dynamic
attributes of which a first value says nothing. A class that is not here is imported without values.
"""

from __future__ import annotations

from dlms.axdr.data import Data, DataType, integer, long_unsigned
from dlms.cosem.shape import Choice, Shape, StructureOf
from emulator.importing.conversion import (
    Reader,
    characters,
    constant,
    factor,
    fields,
    items,
    itself,
    scaled,
    text,
    typed,
    within,
)
from emulator.importing.tree import Node

CLASSES = {
    "Data": 1, "Register": 3, "ExtendedRegister": 4, "DemandRegister": 5, "RegisterActivation": 6,
    "ProfileGeneric": 7, "Clock": 8, "ScriptTable": 9, "Schedule": 10, "SpecialDaysTable": 11,
    "AssociationShortName": 12, "AssociationLogicalName": 15, "SapAssignment": 17,
    "ImageTransfer": 18, "IecLocalPortSetup": 19, "IECLocalPortSetup": 19,
    "IECOpticalPortSetup": 19, "ActivityCalendar": 20, "RegisterMonitor": 21, "ActionSchedule": 22,
    "IecHdlcSetup": 23, "HdlcSetup": 23, "MBusSlavePortSetup": 25, "UtilityTables": 26,
    "ModemConfiguration": 27, "AutoAnswer": 28, "AutoConnect": 29, "DataProtection": 30,
    "PushSetup": 40, "TcpUdpSetup": 41, "Ip4Setup": 42, "MacAddressSetup": 43, "PppSetup": 44,
    "GprsSetup": 45, "GSMDiagnostic": 47, "Ip6Setup": 48, "RegisterTable": 61, "CompactData": 62,
    "StatusMapping": 63, "SecuritySetup": 64, "ParameterMonitor": 65, "Arbitrator": 68,
    "DisconnectControl": 70, "Limiter": 71, "MBusClient": 72, "MBusMasterPortSetup": 74,
    "NtpSetup": 100, "Account": 111, "Credit": 112, "Charge": 113, "Token": 115,
    "TokenGateway": 115, "FunctionControl": 122, "ArrayManager": 123,
    "CommunicationPortProtection": 124,
}  # fmt: skip
"""Class ids by what follows ``GXDLMS`` in the name of an object's element."""

_SCALER_UNIT = fields(factor("Scaler"), text("Unit"))
_COLUMN = fields(text("ObjectType"), text("LN"), text("Attribute"), text("Data"))
_WINDOW = fields(text("Start"), text("End"))
_SCRIPT = fields(text("LN"), text("ScriptSelector"))


def _sort_object(node: Node, shape: Shape) -> Data | None:
    """A dump names the object only: its attribute is that of the column, or 2."""
    found = node.child("SortObject")
    if found is None:
        return None
    column = next(
        (
            one
            for holder in node.all("CaptureObjects")
            for one in holder.all("Item")
            if (one.said("ObjectType"), one.said("LN"))
            == (found.said("ObjectType"), found.said("LN"))
        ),
        None,
    )
    whole = fields(text("ObjectType"), text("LN"), constant(integer(2)), constant(long_unsigned(0)))
    return whole(found, shape) if column is None else _COLUMN(column, shape)


def _mask(node: Node, shape: Shape) -> Data | None:
    """Indices are octets in hexadecimal, between semicolons."""
    name = text("Mask")(node, _field(shape, 0))
    octets = bytes.fromhex((node.said("Index") or "").replace(";", " "))
    indices = tuple(Data(DataType.UNSIGNED, octet) for octet in octets)
    mask = Data(DataType.OCTET_STRING, b"") if name is None else name
    return Data(DataType.STRUCTURE, (mask, Data(DataType.ARRAY, indices)))


def _field(shape: Shape, number: int) -> Shape:
    assert isinstance(shape, StructureOf)
    return shape.fields[number].shape


def _ip(tag: str) -> Reader:
    """An address, which some write with dots and some as a number."""

    def read(node: Node, shape: Shape) -> Data | None:
        said = node.said(tag)
        if said is None:
            return None
        if said.count(".") != 3:
            return text(tag)(node, shape)
        octets = bytes(int(part) for part in said.split("."))
        return Data(DataType.DOUBLE_LONG_UNSIGNED, int.from_bytes(octets, "big"))

    return read


def _push_objects(node: Node, shape: Shape) -> Data | None:
    """From version 1 on, a dump leaves out what is pushed of each."""
    element = getattr(shape, "element", None)
    if isinstance(element, StructureOf) and len(element.fields) != 4:
        raise ValueError("a dump has not the restrictions of this version")
    item = fields(text("ObjectType"), text("LN"), text("AI"), text("DI"))
    return items("ObjectList", "Item", item)(node, shape)


def _second(tag: str) -> Reader:
    """A child whose tag another one has before it: the first LN is that of the object itself."""

    def read(node: Node, shape: Shape) -> Data | None:
        found = list(node.all(tag))
        return itself(found[1], shape) if len(found) == 2 else None

    return read


def _first_simple(tag: str) -> Reader:
    """A field of which versions have other types: as the version has it."""

    def read(node: Node, shape: Shape) -> Data | None:
        one = shape.shapes[0] if isinstance(shape, Choice) else shape
        return text(tag)(node, one)

    return read


def _calendar(which: str) -> tuple[Reader, Reader, Reader, Reader]:
    week = fields(
        text("Name"),
        *map(text, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")),
    )
    season = fields(text("Name"), text("Start"), text("WeekName"))
    action = fields(text("Start"), text("LN"), text("Selector"))
    day = fields(text("DayId"), items("Actions", "Action", action))
    return (
        characters(f"CalendarName{which}"),
        items(f"SeasonProfile{which}", "Item", season),
        items(f"WeekProfileTable{which}", "Item", week),
        items(f"DayProfileTable{which}", "Item", day),
    )


_ACTIVE, _PASSIVE = _calendar("Active"), _calendar("Passive")
_OBJECT = fields(text("ObjectType"), text("LN"))
_MONITORED = fields(text("ObjectType"), text("LN"), text("Index"))
_UP_DOWN = fields(text("LN"), text("Selector"))
_QUALITY = fields(
    *map(text, ("Precedence", "Delay", "Reliability", "PeakThroughput", "MeanThroughput"))
)

READERS: dict[int, dict[int, Reader]] = {
    1: {2: typed("Value")},
    3: {2: scaled("Value"), 3: _SCALER_UNIT},
    4: {2: scaled("Value"), 3: _SCALER_UNIT, 4: typed("Status")},
    5: {
        2: scaled("CurrentAverageValue"),
        3: scaled("LastAverageValue"),
        4: _SCALER_UNIT,
        5: typed("Status"),
        8: text("Period"),
        9: text("NumberOfPeriods"),
    },
    6: {
        2: items("RegisterAssignment", "Item", _OBJECT),
        3: items("MaskList", "Item", _mask),
        4: text("ActiveMask"),
    },
    7: {
        3: items("CaptureObjects", "Item", _COLUMN),
        4: text("CapturePeriod"),
        5: text("SortMethod"),
        6: _sort_object,
        8: text("ProfileEntries"),
    },
    8: {
        3: text("TimeZone"),
        5: text("Begin"),
        6: text("End"),
        7: text("Deviation"),
        8: text("Enabled"),
        9: text("ClockBase"),
    },
    9: {
        2: items(
            "Scripts",
            "Script",
            fields(
                text("ID"),
                items(
                    "Actions",
                    "Action",
                    fields(
                        text("Type"),
                        text("ObjectType"),
                        text("LN"),
                        text("Index"),
                        typed("Parameter"),
                    ),
                ),
            ),
        )
    },
    11: {2: items("Entries", "Entry", fields(text("Index"), text("Date"), text("DayId")))},
    18: {2: text("ImageBlockSize"), 5: text("ImageTransferEnabled")},
    19: {
        2: text("DefaultMode"),
        3: text("DefaultBaudrate"),
        4: text("ProposedBaudrate"),
        5: text("ResponseTime"),
        6: characters("DeviceAddress"),
    },
    20: {
        **dict(zip((2, 3, 4, 5), _ACTIVE, strict=True)),
        **dict(zip((6, 7, 8, 9), _PASSIVE, strict=True)),
        10: text("Time"),
    },
    21: {
        2: items("Thresholds", "Value", itself),
        3: within("MonitoredValue", _MONITORED),
        4: items("Actions", "Item", fields(within("Up", _UP_DOWN), within("Down", _UP_DOWN))),
    },
    22: {
        2: fields(_second("LN"), text("ExecutedScriptSelector")),
        3: text("Type"),
        4: items("ExecutionTime", "Time", fields(itself, itself)),
    },
    23: {
        2: text("Speed"),
        3: text("WindowSizeTx"),
        4: text("WindowSizeRx"),
        5: _first_simple("MaximumInfoLengthTx"),
        6: _first_simple("MaximumInfoLengthRx"),
        7: text("InterCharachterTimeout"),
        8: text("InactivityTimeout"),
        9: _first_simple("DeviceAddress"),
    },
    28: {2: text("Mode"), 3: items("ListeningWindow", "Item", _WINDOW), 5: text("NumberOfCalls")},
    29: {
        2: text("Mode"),
        3: text("Repetitions"),
        4: text("RepetitionDelay"),
        5: items("CallingWindow", "Item", _WINDOW),
    },
    40: {
        2: _push_objects,
        3: fields(text("Service"), characters("Destination"), text("Message")),
        4: items("CommunicationWindow", "Item", _WINDOW),
        5: text("RandomisationStartInterval"),
        6: text("NumberOfRetries"),
        7: text("RepetitionDelay"),
        8: text("PortReference"),
        9: text("PushClientSAP"),
    },
    41: {
        2: text("Port"),
        3: text("IPReference"),
        4: text("MaximumSegmentSize"),
        5: text("MaximumSimultaneousConnections"),
        6: text("InactivityTimeout"),
    },
    42: {
        2: text("DataLinkLayerReference"),
        3: _ip("IPAddress"),
        4: items("MulticastIPAddress", "Value", itself),
        5: items("IPOptions", "IPOption", fields(text("Type"), text("Length"), text("Data"))),
        6: _ip("SubnetMask"),
        7: _ip("GatewayIPAddress"),
        8: text("UseDHCP"),
        9: _ip("PrimaryDNSAddress"),
        10: _ip("SecondaryDNSAddress"),
    },
    45: {
        2: characters("APN"),
        4: fields(
            within("DefaultQualityOfService", _QUALITY),
            within("RequestedQualityOfService", _QUALITY),
        ),
    },
    70: {3: text("ControlState"), 4: text("ControlMode")},
    71: {
        3: typed("ThresholdActive"),
        4: typed("ThresholdNormal"),
        5: typed("ThresholdEmergency"),
        6: text("MinOverThresholdDuration"),
        7: text("MinUnderThresholdDuration"),
        9: items("EmergencyProfileGroupIDs", "Value", itself),
        10: text("Active"),
        11: fields(within("ActionOverThreshold", _SCRIPT), within("ActionUnderThreshold", _SCRIPT)),
    },
    111: {
        2: fields(text("PaymentMode"), text("AccountStatus")),
        7: text("ClearanceThreshold"),
        9: items("CreditReferences", "Item", text("Name")),
        10: items("ChargeReferences", "Item", text("Name")),
        11: items(
            "CreditChargeConfigurations",
            "Item",
            fields(text("Credit"), text("Charge"), text("Configuration")),
        ),
        12: items("TokenGatewayConfigurations", "Item", fields(text("Credit"), text("Token"))),
        13: text("AccountActivationTime"),
        14: text("AccountClosureTime"),
        15: fields(text("CurrencyName"), text("CurrencyScale"), text("CurrencyUnit")),
        16: text("LowCreditThreshold"),
        17: text("NextCreditAvailableThreshold"),
        18: text("MaxProvision"),
        19: text("MaxProvisionPeriod"),
    },
    112: {
        2: text("CurrentCreditAmount"),
        3: text("Type"),
        4: text("Priority"),
        5: text("WarningThreshold"),
        6: text("Limit"),
        7: text("CreditConfiguration"),
        9: text("PresetCreditAmount"),
        10: text("CreditAvailableThreshold"),
        11: text("Period"),
    },
    113: {
        2: text("TotalAmountPaid"),
        3: text("ChargeType"),
        4: text("Priority"),
        7: text("UnitChargeActivationTime"),
        8: text("Period"),
        9: text("ChargeConfiguration"),
        10: text("LastCollectionTime"),
        11: text("LastCollectionAmount"),
        12: text("TotalAmountRemaining"),
        13: text("Proportion"),
    },
    115: {5: text("DeliveryMethod")},
}
