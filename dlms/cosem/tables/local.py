"""Local ports and modems (Blue Book 4.7): classes 19, 23, 24, 27 to 29."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import (
    INTEGER,
    LONG_UNSIGNED,
    OCTETS,
    UNSIGNED,
    Shape,
    array,
    choice,
    named_enum,
    structure,
)
from dlms.cosem.tables.common import BAUD, WINDOWS

_IEC_LOCAL_PORT = (
    Attribute(
        2,
        "default_mode",
        named_enum("IEC 62056-21 (modes A to E)", "IEC 62056-46", "manufacturer specific"),
    ),
    Attribute(3, "default_baud", BAUD),
    Attribute(4, "prop_baud", BAUD),
    Attribute(5, "response_time", named_enum("20 ms", "200 ms")),
    Attribute(6, "device_addr", OCTETS),
    Attribute(7, "pass_p1", OCTETS),
    Attribute(8, "pass_p2", OCTETS),
    Attribute(9, "pass_w5", OCTETS),
)
IEC_LOCAL_PORT_SETUP_V0 = InterfaceClass(19, 0, "IEC local port setup", _IEC_LOCAL_PORT)
IEC_LOCAL_PORT_SETUP = InterfaceClass(19, 1, "IEC local port setup", _IEC_LOCAL_PORT)


def _hdlc(version: int, length: Shape, address: Shape) -> InterfaceClass:
    return InterfaceClass(
        23,
        version,
        "IEC HDLC setup",
        (
            Attribute(2, "comm_speed", BAUD),
            Attribute(3, "window_size_transmit", UNSIGNED),
            Attribute(4, "window_size_receive", UNSIGNED),
            Attribute(5, "max_info_field_length_transmit", length),
            Attribute(6, "max_info_field_length_receive", length),
            Attribute(7, "inter_octet_time_out", LONG_UNSIGNED),
            Attribute(8, "inactivity_time_out", LONG_UNSIGNED),
            Attribute(9, "device_address", address),
        ),
    )


# Version 0 has octets where version 1 has words; meters of version 0 that send words are taken.
_OCTET_OR_WORD = choice(UNSIGNED, LONG_UNSIGNED)
IEC_HDLC_SETUP_V0 = _hdlc(0, _OCTET_OR_WORD, _OCTET_OR_WORD)
IEC_HDLC_SETUP = _hdlc(1, LONG_UNSIGNED, LONG_UNSIGNED)

IEC_TWISTED_PAIR_SETUP = InterfaceClass(
    24,
    0,
    "IEC twisted pair setup",
    (
        Attribute(2, "mode", named_enum("inactive", "always active")),
        Attribute(3, "speed", BAUD),
        Attribute(4, "primary_address_list", array(UNSIGNED)),
        Attribute(5, "tabi_list", array(INTEGER)),
    ),
)

_STRING = structure(request=OCTETS, response=OCTETS)
_DELAYED = structure(request=OCTETS, response=OCTETS, delay_after_response=LONG_UNSIGNED)


def _modem(version: int, initialization: Shape) -> InterfaceClass:
    return InterfaceClass(
        27,
        version,
        "Modem configuration",
        (
            Attribute(2, "comm_speed", BAUD),
            Attribute(3, "initialization_string", array(initialization)),
            Attribute(4, "modem_profile", array(OCTETS)),
        ),
    )


MODEM_CONFIGURATION_V0 = _modem(0, _STRING)
MODEM_CONFIGURATION = _modem(1, _DELAYED)

_AUTO_ANSWER = (
    Attribute(
        2,
        "mode",
        named_enum(
            "line dedicated to the device",
            "shared line, limited number of calls",
            "shared line, limited number of successful calls",
            "currently no modem connected",
        ),
    ),
    Attribute(3, "listening_window", WINDOWS),
    Attribute(4, "status", named_enum("inactive", "active", "locked"), dynamic=True),
    Attribute(5, "number_of_calls", UNSIGNED),
    Attribute(
        6,
        "number_of_rings",
        structure(nr_rings_in_window=UNSIGNED, nr_rings_out_of_window=UNSIGNED),
    ),
)
AUTO_ANSWER_V0 = InterfaceClass(28, 0, "Auto answer", _AUTO_ANSWER)
AUTO_ANSWER = InterfaceClass(
    28,
    2,
    "Auto answer",
    (
        *_AUTO_ANSWER,
        Attribute(
            7,
            "list_of_allowed_callers",
            array(
                structure(
                    caller_id=OCTETS,
                    call_type=named_enum("normal CSD call", "wake-up request"),
                )
            ),
        ),
    ),
)

_AUTO_CONNECT = (
    Attribute(
        2,
        "mode",
        named_enum(
            "no auto connect",
            "auto connect at any time",
            "auto connect within the calling window",
            "regular auto connect within the calling window, alarms at any time",
            "SMS via PLMN",
            "SMS via PSTN",
            "e-mail",
            v101="permanently connected",
            v102="permanently connected within the calling window",
            v103="connected within the calling window on connect",
            v104="connected on connect",
        ),
    ),
    Attribute(3, "repetitions", UNSIGNED),
    Attribute(4, "repetition_delay", LONG_UNSIGNED),
    Attribute(5, "calling_window", WINDOWS),
    Attribute(6, "destination_list", array(OCTETS)),
)
AUTO_CONNECT_V1 = InterfaceClass(29, 1, "Auto connect", _AUTO_CONNECT)
AUTO_CONNECT = InterfaceClass(29, 2, "Auto connect", _AUTO_CONNECT, (Method(1, "connect"),))


ALL = (
    IEC_LOCAL_PORT_SETUP_V0,
    IEC_LOCAL_PORT_SETUP,
    IEC_HDLC_SETUP_V0,
    IEC_HDLC_SETUP,
    IEC_TWISTED_PAIR_SETUP,
    MODEM_CONFIGURATION_V0,
    MODEM_CONFIGURATION,
    AUTO_ANSWER_V0,
    AUTO_ANSWER,
    AUTO_CONNECT_V1,
    AUTO_CONNECT,
)
