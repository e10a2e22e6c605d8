"""Files as their readers take them, small and with much in them: what mutations begin with."""

from __future__ import annotations

PROFILE = b"""name = "mine"
[identity]
manufacturer = { value = "none", assumed = "a" }
model = { value = "m", assumed = "a" }
flag_id = { value = "LAB", assumed = "a" }
category = { value = 2, assumed = "a" }
server_sap = { value = 1, source = "s" }
title_prefix = { value = "00", assumed = "a" }
ldn = { value = "{flag}{serial:013d}", assumed = "a" }
top_up = { value = "credit", assumed = "a" }
currency_scale = { value = -2, assumed = "a" }
max_credit = { value = 20000, assumed = "a" }
max_balance = { value = 50000, assumed = "a" }
[associations.public]
client_sap = 16
context = "LN"
mechanism = "NONE"
conformance = ["GET"]
max_pdu_size = 1024
assumed = "a"
[associations.dco]
client_sap = 1
context = "LN_CIPHERED"
mechanism = "HLS_GMAC"
conformance = ["GET", "SET"]
max_pdu_size = 1024
policy = 3
security_setup = 2
knobs.inner_counter = "LENIENT"
assumed = "a"
[objects."0-0:43.0.2.255"]
class = "Security setup"
rights.dco = "r 4rw m"
assumed = "a"
[objects."1-0:1.6.0.255"]
class = "Extended register"
values.2 = { double-long-unsigned = 4210 }
values.3 = { structure = [{ integer = 0 }, { enum = 27 }] }
values.4 = { unsigned = 0 }
values.5 = { date-time = "2019-03-01T17:30+00:00" }
rights.dco = "rw m"
assumed = "a"
[objects."0-0:42.0.0.255"]
class = "Data"
role = "logical-device-name"
rights.public = "r"
source = "s"
"""
DECLARATION = b"""name = "mine"
title = "4C41420000000001"
key_file = "keys.toml"
sta = []
[way]
kind = "tcp"
host = "127.0.0.1"
port = 4059
[timing]
answer = 2.0
[logical_devices]
1 = "LAB0000000000001"
2 = { hex = "4C41420000000002" }
[associations.management]
client_sap = 1
context = "LN_CIPHERED"
mechanism = "HLS_GMAC"
conformance = ["GET", "SET", "ACTION"]
policy = ["AUTHENTICATED", "ENCRYPTED"]
keys = "management"
own_title = "4D4D4D0000000001"
counter_from = "0-0:43.1.1.255"
[exclusions]
"APPL" = "not asked for"
[features]
clock = true
[settings]
note = "1"
"""
KEYS = b"""[management]
guek = "000102030405060708090A0B0C0D0E0F"
gak = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
"""
THRESHOLDS = b"""[[s1sp.volume]]
count = 10
period = 60
user = "each"
[[s1sp.value]]
variant = "2.2"
argument = "amount"
most = "50.00"
"""
FAULT = b"""[mine]
kind = "latency"
help = "says nothing"
for = "10m"
[mine.parameters]
"""
WRAPPED = {
    "kek": "transport",
    "keys": [
        {"holder": "4C41420000000001", "scope": "dco", "kind": "GUEK", "version": 1,
         "wrapped": "00" * 24},
    ],
}  # fmt: skip
