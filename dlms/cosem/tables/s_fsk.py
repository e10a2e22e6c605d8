"""Power line communication with S-FSK, and its LLC (Blue Book 4.10, 4.11): classes 50 to 59."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import (
    BOOLEAN,
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    LONG_UNSIGNED,
    OCTETS,
    UNSIGNED,
    array,
    named_enum,
    structure,
)
from dlms.cosem.tables.common import RESET, counters, settings

# S-FSK --------------------------------------------------------------------------------------------

S_FSK_PHY_MAC_SETUP = InterfaceClass(
    50,
    1,
    "S-FSK Phy&MAC set-up",
    (
        Attribute(2, "initiator_electrical_phase", named_enum("not defined", "phase 1", "2", "3")),
        Attribute(3, "delta_electrical_phase", ENUM, dynamic=True),
        Attribute(4, "max_receiving_gain", UNSIGNED),
        Attribute(5, "max_transmitting_gain", UNSIGNED),
        Attribute(6, "search_initiator_threshold", UNSIGNED),
        Attribute(
            7,
            "frequencies",
            structure(mark_frequency=DOUBLE_LONG_UNSIGNED, space_frequency=DOUBLE_LONG_UNSIGNED),
        ),
        Attribute(8, "mac_address", LONG_UNSIGNED, dynamic=True),
        Attribute(9, "mac_group_addresses", array(LONG_UNSIGNED)),
        Attribute(10, "repeater", named_enum("never", "always", "dynamic")),
        Attribute(11, "repeater_status", BOOLEAN, dynamic=True),
        Attribute(12, "min_delta_credit", UNSIGNED, dynamic=True),
        Attribute(13, "initiator_mac_address", LONG_UNSIGNED, dynamic=True),
        Attribute(14, "synchronization_locked", BOOLEAN, dynamic=True),
        Attribute(
            15,
            "transmission_speed",
            named_enum("300 baud", "600 baud", "1200 baud", "2400 baud", "4800 baud"),
        ),
    ),
)
S_FSK_ACTIVE_INITIATOR = InterfaceClass(
    51,
    0,
    "S-FSK Active initiator",
    (
        Attribute(
            2,
            "active_initiator",
            structure(system_title=OCTETS, MAC_address=LONG_UNSIGNED, L_SAP_selector=UNSIGNED),
            dynamic=True,
        ),
    ),
    (Method(1, "reset_NEW_not_synchronized", LONG_UNSIGNED),),
)
S_FSK_MAC_SYNCHRONIZATION_TIMEOUTS = InterfaceClass(
    52,
    0,
    "S-FSK MAC synchronization timeouts",
    settings(
        "search_initiator_timeout",
        "synchronization_confirmation_timeout",
        "time_out_not_addressed",
        "time_out_frame_not_OK",
        shape=LONG_UNSIGNED,
    ),
)
_COUNTED_ADDRESS = structure(mac_address=LONG_UNSIGNED, counter=DOUBLE_LONG_UNSIGNED)
S_FSK_MAC_COUNTERS = InterfaceClass(
    53,
    0,
    "S-FSK MAC counters",
    (
        Attribute(2, "synchronization_register", array(_COUNTED_ADDRESS), dynamic=True),
        Attribute(
            3,
            "desynchronization_listing",
            structure(
                nb_physical_layer_desynchronization=DOUBLE_LONG_UNSIGNED,
                nb_time_out_not_addressed_desynchronization=DOUBLE_LONG_UNSIGNED,
                nb_time_out_frame_not_OK_desynchronization=DOUBLE_LONG_UNSIGNED,
                nb_write_request_desynchronization=DOUBLE_LONG_UNSIGNED,
                nb_wrong_initiator_desynchronization=DOUBLE_LONG_UNSIGNED,
            ),
            dynamic=True,
        ),
        Attribute(4, "broadcast_frames_counter", array(_COUNTED_ADDRESS), dynamic=True),
        *counters(
            "repetitions_counter",
            "transmissions_counter",
            "CRC_OK_frames_counter",
            "CRC_NOK_frames_counter",
            shape=DOUBLE_LONG_UNSIGNED,
            first=5,
        ),
    ),
    RESET,
)
IEC_61334_4_32_LLC_SETUP = InterfaceClass(
    55,
    1,
    "IEC 61334-4-32 LLC setup",
    (
        Attribute(2, "max_frame_length", LONG_UNSIGNED),
        Attribute(
            3,
            "reply_status_list",
            array(structure(L_SAP_selector=UNSIGNED, length_of_waiting_L_SDU=LONG_UNSIGNED)),
            dynamic=True,
        ),
    ),
)
S_FSK_REPORTING_SYSTEM_LIST = InterfaceClass(
    56,
    0,
    "S-FSK Reporting system list",
    (Attribute(2, "reporting_system_list", array(OCTETS), dynamic=True),),
)

# ISO/IEC 8802-2 LLC -------------------------------------------------------------------------------

LLC_TYPE_1_SETUP = InterfaceClass(
    57, 0, "ISO/IEC 8802-2 LLC Type 1 setup", (Attribute(2, "max_octets_ui_pdu", LONG_UNSIGNED),)
)
LLC_TYPE_2_SETUP = InterfaceClass(
    58,
    0,
    "ISO/IEC 8802-2 LLC Type 2 setup",
    (
        Attribute(2, "transmit_window_size_k", UNSIGNED),
        Attribute(3, "receive_window_size_rw", UNSIGNED),
        Attribute(4, "max_octets_i_pdu_n1", LONG_UNSIGNED),
        Attribute(5, "max_number_transmissions_n2", UNSIGNED),
        *settings(
            "acknowledgement_timer",
            "p_bit_timer",
            "reject_timer",
            "busy_state_timer",
            shape=LONG_UNSIGNED,
            first=6,
        ),
    ),
)
LLC_TYPE_3_SETUP = InterfaceClass(
    59,
    0,
    "ISO/IEC 8802-2 LLC Type 3 setup",
    (
        Attribute(2, "max_octets_acn_pdu_n3", LONG_UNSIGNED),
        Attribute(3, "max_number_transmissions_n4", UNSIGNED),
        *settings(
            "acknowledgement_time_t1",
            "receive_lifetime_var_t2",
            "transmit_lifetime_var_t3",
            shape=LONG_UNSIGNED,
            first=4,
        ),
    ),
)


ALL = (
    S_FSK_PHY_MAC_SETUP,
    S_FSK_ACTIVE_INITIATOR,
    S_FSK_MAC_SYNCHRONIZATION_TIMEOUTS,
    S_FSK_MAC_COUNTERS,
    IEC_61334_4_32_LLC_SETUP,
    S_FSK_REPORTING_SYSTEM_LIST,
    LLC_TYPE_1_SETUP,
    LLC_TYPE_2_SETUP,
    LLC_TYPE_3_SETUP,
)
