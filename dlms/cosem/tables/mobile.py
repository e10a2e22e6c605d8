"""Mobile networks (Blue Book 4.7): classes 45, 47, 151."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass
from dlms.cosem.shape import (
    DATE_TIME,
    DOUBLE_LONG_UNSIGNED,
    INTEGER,
    LONG_UNSIGNED,
    OCTETS,
    UNSIGNED,
    VISIBLE,
    Shape,
    array,
    named_enum,
    structure,
)

_QUALITY = structure(
    precedence=UNSIGNED,
    delay=UNSIGNED,
    reliability=UNSIGNED,
    peak_throughput=UNSIGNED,
    mean_throughput=UNSIGNED,
)
GPRS_MODEM_SETUP = InterfaceClass(
    45,
    0,
    "GPRS modem setup",
    (
        Attribute(2, "APN", OCTETS),
        Attribute(3, "PIN_code", LONG_UNSIGNED),
        Attribute(4, "quality_of_service", structure(default=_QUALITY, requested=_QUALITY)),
    ),
)


def _gsm(version: int, cell: Shape, cell_id: Shape, packet_switched: Shape) -> InterfaceClass:
    return InterfaceClass(
        47,
        version,
        "GSM diagnostic",
        (
            Attribute(2, "operator", VISIBLE, dynamic=True),
            Attribute(
                3,
                "status",
                named_enum(
                    "not registered",
                    "registered, home network",
                    "not registered, searching",
                    "registration denied",
                    "unknown",
                    "registered, roaming",
                ),
                dynamic=True,
            ),
            Attribute(
                4, "cs_attachment", named_enum("inactive", "incoming call", "active"), dynamic=True
            ),
            Attribute(5, "ps_status", packet_switched, dynamic=True),
            Attribute(6, "cell_info", cell, dynamic=True),
            Attribute(
                7,
                "adjacent_cells",
                array(structure(cell_ID=cell_id, signal_quality=UNSIGNED)),
                dynamic=True,
            ),
            Attribute(8, "capture_time", DATE_TIME, dynamic=True),
        ),
    )


_PACKET = ("inactive", "GPRS", "EDGE", "UMTS", "HSDPA")
GSM_DIAGNOSTIC_V0 = _gsm(
    0,
    structure(
        cell_ID=LONG_UNSIGNED, location_ID=LONG_UNSIGNED, signal_quality=UNSIGNED, ber=UNSIGNED
    ),
    LONG_UNSIGNED,
    named_enum(*_PACKET),
)
_CELL = structure(
    cell_ID=DOUBLE_LONG_UNSIGNED,
    location_ID=LONG_UNSIGNED,
    signal_quality=UNSIGNED,
    ber=UNSIGNED,
    mcc=LONG_UNSIGNED,
    mnc=LONG_UNSIGNED,
    channel_number=DOUBLE_LONG_UNSIGNED,
)
GSM_DIAGNOSTIC_V1 = _gsm(1, _CELL, DOUBLE_LONG_UNSIGNED, named_enum(*_PACKET, "LTE", "CDMA"))
GSM_DIAGNOSTIC = _gsm(
    2,
    _CELL,
    DOUBLE_LONG_UNSIGNED,
    named_enum(*_PACKET, "LTE", "CDMA", "LTE Cat M1", "LTE Cat NB1", "LTE Cat NB2"),
)

LTE_MONITORING_V0 = InterfaceClass(
    151,
    0,
    "LTE monitoring",
    (
        Attribute(
            2,
            "LTE_network_parameters",
            structure(
                T3402=LONG_UNSIGNED,
                T3412=LONG_UNSIGNED,
                RSRQ=UNSIGNED,
                RSRP=UNSIGNED,
                q_rx_lev_min=INTEGER,
            ),
            dynamic=True,
        ),
    ),
)
LTE_MONITORING = InterfaceClass(
    151,
    1,
    "LTE monitoring",
    (
        Attribute(
            2,
            "LTE_network_parameters",
            structure(
                T3402=LONG_UNSIGNED,
                T3412=LONG_UNSIGNED,
                T3412ext2=DOUBLE_LONG_UNSIGNED,
                T3324=LONG_UNSIGNED,
                TeDRX=DOUBLE_LONG_UNSIGNED,
                TPTW=LONG_UNSIGNED,
                q_rx_lev_min=INTEGER,
                q_rx_lev_min_CE_r13=INTEGER,
                q_rx_lev_min_CE1_r13=INTEGER,
            ),
            dynamic=True,
        ),
        Attribute(
            3,
            "LTE_quality_of_service",
            structure(
                RSRQ=INTEGER,
                RSRP=INTEGER,
                SNR=INTEGER,
                coverage_enhancement=named_enum("no CE", "CE level 0", "CE level 1", "CE level 2"),
            ),
            dynamic=True,
        ),
    ),
)

ALL = (
    GPRS_MODEM_SETUP,
    GSM_DIAGNOSTIC_V0,
    GSM_DIAGNOSTIC_V1,
    GSM_DIAGNOSTIC,
    LTE_MONITORING_V0,
    LTE_MONITORING,
)
