"""Internet (Blue Book 4.9): classes 41 to 44, 46, 48, 100."""

from __future__ import annotations

from dlms.cosem.interface_class import Attribute, InterfaceClass, Method
from dlms.cosem.shape import (
    BOOLEAN,
    DOUBLE_LONG_UNSIGNED,
    LOGICAL_NAME,
    LONG_UNSIGNED,
    NULL,
    OCTETS,
    UNSIGNED,
    array,
    choice,
    named_enum,
    octets,
    structure,
)

TCP_UDP_SETUP = InterfaceClass(
    41,
    0,
    "TCP-UDP setup",
    (
        Attribute(2, "TCP-UDP_port", LONG_UNSIGNED),
        Attribute(3, "IP_reference", LOGICAL_NAME),
        Attribute(4, "MSS", LONG_UNSIGNED),
        Attribute(5, "nb_of_sim_conn", UNSIGNED),
        Attribute(6, "inactivity_time_out", LONG_UNSIGNED),
    ),
)

IPV4_SETUP = InterfaceClass(
    42,
    0,
    "IPv4 setup",
    (
        Attribute(2, "DL_reference", LOGICAL_NAME),
        Attribute(3, "IP_address", DOUBLE_LONG_UNSIGNED),
        Attribute(4, "multicast_IP_address", array(DOUBLE_LONG_UNSIGNED)),
        Attribute(
            5,
            "IP_options",
            array(
                structure(IP_option_type=UNSIGNED, IP_option_length=UNSIGNED, IP_option_data=OCTETS)
            ),
        ),
        Attribute(6, "subnet_mask", DOUBLE_LONG_UNSIGNED),
        Attribute(7, "gateway_IP_address", DOUBLE_LONG_UNSIGNED),
        Attribute(8, "use_DHCP_flag", BOOLEAN),
        Attribute(9, "primary_DNS_address", DOUBLE_LONG_UNSIGNED),
        Attribute(10, "secondary_DNS_address", DOUBLE_LONG_UNSIGNED),
    ),
    (
        Method(1, "add_mc_IP_address", DOUBLE_LONG_UNSIGNED),
        Method(2, "delete_mc_IP_address", DOUBLE_LONG_UNSIGNED),
        Method(3, "get_nbof_mc_IP_addresses", returns=LONG_UNSIGNED),
    ),
)

# EUI-48, or the EUI-64 and node addresses of networks that are no Ethernet.
MAC_ADDRESS_SETUP = InterfaceClass(
    43, 0, "MAC address setup", (Attribute(2, "MAC_address", OCTETS),)
)

_OPTION_DATA = choice(LONG_UNSIGNED, DOUBLE_LONG_UNSIGNED, UNSIGNED, BOOLEAN, OCTETS, NULL)
PPP_SETUP = InterfaceClass(
    44,
    0,
    "PPP setup",
    (
        Attribute(2, "PHY_reference", LOGICAL_NAME),
        Attribute(
            3,
            "LCP_options",
            array(
                structure(
                    LCP_option_type=UNSIGNED,
                    LCP_option_length=UNSIGNED,
                    # A structure for callback (option 13).
                    LCP_option_data=choice(
                        *_OPTION_DATA.shapes,
                        structure(
                            callback_active=BOOLEAN,
                            callback_data_length=UNSIGNED,
                            callback_operation=UNSIGNED,
                            callback_message=OCTETS,
                        ),
                    ),
                )
            ),
        ),
        Attribute(
            4,
            "IPCP_options",
            array(
                structure(
                    IPCP_option_type=UNSIGNED,
                    IPCP_option_length=UNSIGNED,
                    IPCP_option_data=choice(*_OPTION_DATA.shapes, array(DOUBLE_LONG_UNSIGNED)),
                )
            ),
        ),
        Attribute(
            5,
            "PPP_authentication",
            choice(
                NULL,
                structure(user_name=OCTETS, password=OCTETS),
                structure(algorithm_id=UNSIGNED),
                structure(
                    md5_challenge=BOOLEAN, one_time_password=BOOLEAN, generic_token_card=BOOLEAN
                ),
            ),
        ),
    ),
)

SMTP_SETUP = InterfaceClass(
    46,
    0,
    "SMTP setup",
    (
        Attribute(2, "server_port", LONG_UNSIGNED),
        Attribute(3, "user_name", OCTETS),
        Attribute(4, "login_password", OCTETS),
        Attribute(5, "server_address", OCTETS),
        Attribute(6, "sender_address", OCTETS),
    ),
)

_ADDRESS = octets(16, 0)
_ADDRESSES = array(octets(16))
_ADDED = structure(
    address_type=named_enum("unicast", "multicast", "gateway"), IPv6_address=octets(16)
)
IPV6_SETUP = InterfaceClass(
    48,
    0,
    "IPv6 setup",
    (
        Attribute(2, "DL_reference", LOGICAL_NAME),
        Attribute(
            3,
            "address_config_mode",
            named_enum("auto-configuration", "DHCPv6", "manual", "neighbour discovery"),
        ),
        Attribute(4, "unicast_IPv6_addresses", _ADDRESSES),
        Attribute(5, "multicast_IPv6_addresses", _ADDRESSES),
        Attribute(6, "gateway_IPv6_addresses", _ADDRESSES),
        Attribute(7, "primary_DNS_address", _ADDRESS),
        Attribute(8, "secondary_DNS_address", _ADDRESS),
        Attribute(9, "traffic_class", UNSIGNED),
        Attribute(
            10,
            "neighbor_discovery_setup",
            array(
                structure(
                    RS_max_retry=UNSIGNED,
                    RS_retry_wait_time=LONG_UNSIGNED,
                    RA_send_period=DOUBLE_LONG_UNSIGNED,
                )
            ),
        ),
    ),
    (Method(1, "add_IPv6_address", _ADDED), Method(2, "remove_IPv6_address", _ADDED)),
)

_NTP_KEY = structure(key_id=DOUBLE_LONG_UNSIGNED, key=OCTETS)
NTP_SETUP = InterfaceClass(
    100,
    0,
    "NTP setup",
    (
        Attribute(2, "activated", BOOLEAN),
        Attribute(3, "server_address", OCTETS),
        Attribute(4, "server_port", LONG_UNSIGNED),
        Attribute(
            5, "authentication_method", named_enum("no security", "shared secrets", "auto key IFF")
        ),
        Attribute(6, "authentication_keys", array(_NTP_KEY)),
        Attribute(7, "client_key", OCTETS),
    ),
    (
        Method(1, "synchronize"),
        Method(2, "add_authentication_key", _NTP_KEY),
        Method(3, "delete_authentication_key", DOUBLE_LONG_UNSIGNED),
    ),
)

ALL = (
    TCP_UDP_SETUP,
    IPV4_SETUP,
    MAC_ADDRESS_SETUP,
    PPP_SETUP,
    SMTP_SETUP,
    IPV6_SETUP,
    NTP_SETUP,
)
