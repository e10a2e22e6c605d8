"""PRIME NB OFDM power line communication (Blue Book 4.12): classes 80 to 86."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass
from dlms.cosem.shape import (
    DOUBLE_LONG_UNSIGNED,
    INTEGER,
    LONG,
    LONG_UNSIGNED,
    OCTETS,
    UNSIGNED,
    array,
    named_enum,
    structure,
)
from dlms.cosem.tables.common import RESET, counters, settings

PRIME_LLC_SSCS_SETUP = InterfaceClass(
    80,
    0,
    "IEC 61334-4-32 LLC SSCS setup",
    counters("service_node_address", "base_node_address", shape=LONG_UNSIGNED),
    RESET,
)
PRIME_PHYSICAL_LAYER_COUNTERS = InterfaceClass(
    81,
    0,
    "PRIME NB OFDM PLC Physical layer counters",
    counters(
        "phy_stats_crc_incorrect_count",
        "phy_stats_crc_fail_count",
        "phy_stats_tx_drop_count",
        "phy_stats_rx_drop_count",
        shape=LONG_UNSIGNED,
    ),
    RESET,
)
PRIME_MAC_SETUP = InterfaceClass(
    82,
    0,
    "PRIME NB OFDM PLC MAC setup",
    settings(
        "mac_min_switch_search_time",
        "mac_max_promotion_pdu",
        "mac_promotion_pdu_tx_period",
        "mac_beacons_per_frame",
        "mac_scp_max_tx_attempts",
        "mac_ctl_re_tx_timer",
        "mac_max_ctl_re_tx",
        shape=UNSIGNED,
    ),
)
PRIME_MAC_FUNCTIONAL_PARAMETERS = InterfaceClass(
    83,
    0,
    "PRIME NB OFDM PLC MAC functional parameters",
    (
        Attribute(2, "mac_LNID", LONG, dynamic=True),
        Attribute(3, "mac_LSID", UNSIGNED, dynamic=True),
        Attribute(4, "mac_SID", UNSIGNED, dynamic=True),
        Attribute(5, "mac_SNA", OCTETS, dynamic=True),
        Attribute(
            6,
            "mac_state",
            named_enum("disconnected", "terminal", "switch", "base"),
            dynamic=True,
        ),
        Attribute(7, "mac_scp_length", LONG, dynamic=True),
        *counters(
            "mac_node_hierarchy_level",
            "mac_beacon_slot_count",
            "mac_beacon_rx_slot",
            "mac_beacon_tx_slot",
            "mac_beacon_rx_frequency",
            "mac_beacon_tx_frequency",
            shape=UNSIGNED,
            first=8,
        ),
        Attribute(14, "mac_capabilities", LONG_UNSIGNED, dynamic=True),
    ),
)
PRIME_MAC_COUNTERS = InterfaceClass(
    84,
    0,
    "PRIME NB OFDM PLC MAC counters",
    counters(
        "mac_tx_data_pkt_count",
        "mac_rx_data_pkt_count",
        "mac_tx_ctrl_pkt_count",
        "mac_rx_ctrl_pkt_count",
        "mac_csma_fail_count",
        "mac_csma_ch_busy_count",
        shape=DOUBLE_LONG_UNSIGNED,
    ),
    RESET,
)
PRIME_MAC_NETWORK_ADMINISTRATION_DATA = InterfaceClass(
    85,
    0,
    "PRIME NB OFDM PLC MAC network administration data",
    (
        Attribute(
            2,
            "mac_list_multicast_entries",
            array(structure(mcast_entry_LCID=INTEGER, mcast_entry_members=LONG)),
            dynamic=True,
        ),
        Attribute(3, "mac_list_switch_table", array(LONG), dynamic=True),
        Attribute(
            4,
            "mac_list_direct_table",
            array(
                structure(
                    dconn_entry_src_SID=LONG,
                    dconn_entry_src_LNID=LONG,
                    dconn_entry_src_LCID=LONG,
                    dconn_entry_dst_SID=LONG,
                    dconn_entry_dst_LNID=LONG,
                    dconn_entry_dst_LCID=LONG,
                    dconn_entry_DID=OCTETS,
                )
            ),
            dynamic=True,
        ),
        Attribute(
            5,
            "mac_list_available_switches",
            array(
                structure(
                    slist_entry_SNA=OCTETS,
                    slist_entry_LSID=LONG,
                    slist_entry_level=INTEGER,
                    slist_entry_rx_lvl=INTEGER,
                    slist_entry_rx_snr=INTEGER,
                )
            ),
            dynamic=True,
        ),
        Attribute(
            6,
            "mac_list_phy_comm",
            array(
                structure(
                    phy_comm_EUI=OCTETS,
                    phy_comm_tx_pwr=INTEGER,
                    phy_comm_tx_cod=INTEGER,
                    phy_comm_rx_cod=INTEGER,
                    phy_comm_rx_lvl=INTEGER,
                    phy_comm_snr=INTEGER,
                    phy_comm_tx_pwr_mod=INTEGER,
                    phy_comm_tx_cod_mod=INTEGER,
                    phy_comm_rx_cod_mod=INTEGER,
                )
            ),
            dynamic=True,
        ),
    ),
    RESET,
)
PRIME_APPLICATION_IDENTIFICATION = InterfaceClass(
    86,
    0,
    "PRIME NB OFDM PLC Application identification",
    (
        Attribute(2, "firmware_version", OCTETS),
        Attribute(3, "vendor_ID", LONG_UNSIGNED),
        Attribute(4, "product_ID", LONG_UNSIGNED),
    ),
)

ALL = (
    PRIME_LLC_SSCS_SETUP,
    PRIME_PHYSICAL_LAYER_COUNTERS,
    PRIME_MAC_SETUP,
    PRIME_MAC_FUNCTIONAL_PARAMETERS,
    PRIME_MAC_COUNTERS,
    PRIME_MAC_NETWORK_ADMINISTRATION_DATA,
    PRIME_APPLICATION_IDENTIFICATION,
)
