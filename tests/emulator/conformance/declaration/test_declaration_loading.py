"""Declarations that are wrong: all that is wrong is said, with file, line and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.profile import ProfileError
from dlms.acse.names import ApplicationContext, Mechanism
from dlms.axdr.data import Data, DataType
from dlms.security.control import Protection
from dlms.xdlms.conformance import Conformance
from emulator.conformance import built_in
from emulator.conformance.declaration import load, parse
from emulator.conformance.declaration.exempting import excluded, matched
from emulator.conformance.declaration.model import Declaration, WayKind

HEAD = """\
name = "dut"

[way]
kind = "tcp"
host = "192.0.2.7"
port = 4059
"""
PUBLIC = """
[associations.public]
client_sap = 16
context = "LN"
mechanism = "NONE"
conformance = ["GET"]
"""
CIPHERED = """
[associations.management]
client_sap = 1
context = "LN_CIPHERED"
mechanism = "HLS_GMAC"
conformance = ["GET", "SET", "GENERAL_PROTECTION"]
policy = ["AUTHENTICATED", "ENCRYPTED"]
own_title = "4D4D4D0000000001"
counter_from = "0-0:43.1.1.255"
"""


def refused(text: str) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        parse(text, "dut.toml")
    return str(caught.value).splitlines()


def test_the_least() -> None:
    found = parse(HEAD)
    assert (found.name, found.way.kind, found.way.port) == ("dut", WayKind.TCP, 4059)
    assert found.features == {"server": True, "wrapper": True, "tcp": True}


def test_all_errors_at_once() -> None:
    lines = refused("""\
title = "4D4D"
nmae = "dut"

[way]
kind = "tpc"
host = "192.0.2.7"
port = 4059

[timing]
answer = -1

[associations.public]
client_sap = 16
context = "LNN"
mechanism = "NONE"
conformance = ["GET"]

[associations.other]
client_sap = 17
context = "LN"
mechanism = "NONE"
conformance = ["GETT"]

[exclusions]
APPL_OPEN_111 = "no"

[expected]
HDLC_INFO = "no"

[features]
clok = true
""")
    assert len(lines) == 10
    assert [line.split(": ")[:2] for line in lines] == [
        ["dut.toml:1", "title"],
        ["dut.toml:2", "nmae"],
        ["dut.toml:5", "way.kind"],
        ["dut.toml:10", "timing.answer"],
        ["dut.toml:14", "associations.public.context"],
        ["dut.toml:22", "associations.other.conformance.0"],
        ["dut.toml:25", "exclusions.APPL_OPEN_111"],
        ["dut.toml:28", "expected.HDLC_INFO"],
        ["dut.toml:31", "features.clok"],
        ["dut.toml", "name"],
    ]
    for line, hint in zip(
        lines,
        ("8 octets", "'name'", "'tcp'", "seconds", "'LN'", "'GET'", "'APPL_OPEN_1", "several",
         "'clock'", "missing"),
        strict=True,
    ):  # fmt: skip
        assert hint in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[way]\nkind = 'tcp'\nhost = 'a'\n", "way.port: a whole number is needed for tcp"),
        ("[way]\nkind = 'serial'\nhost = '/dev/a'\nport = 1\n", "serial is a tty"),
        ("[way]\nkind = 'optical'\nhost = '/dev/a'\nbaud = 300\n", "kind 'serial' only"),
        ("[way]\nkind = 'tcp'\nhost = 'a'\nport = 1\nca = 'x'\n", "goes with kind 'tls'"),
        ("[way]\nkind = 'tls'\nhost = 'a'\nport = 1\nca = 'x'\n", "way.certificate: a string"),
        ("[way]\nkind = 'tcp'\nhost = ''\nport = 1\n", "where the device is"),
        ("[way]\nkind = 'udp'\nhost = 'a'\nport = 70000\n", "not in 1..65535"),
    ],
)
def test_ways_that_cannot_be(text: str, says: str) -> None:
    (line,) = refused("name = 'dut'\n" + text)
    assert says in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("address = 3", "3 is not one of 1, 2, 4"),
        ("physical = 17", "does not fit an address of 1 octets"),
        ("address = 2\nphysical = 128", "does not fit an address of 2 octets"),
        ("address = 4", "has a lower part"),
        ("transmit = 4", "not in 8.."),
        ("window_receive = 8", "not in 1..7"),
        ("inactivity = true", "seconds"),
    ],
)
def test_hdlc_that_cannot_be(text: str, says: str) -> None:
    (line,) = refused(f"{HEAD.replace('tcp', 'hdlc')}[hdlc]\n{text}\n")
    assert says in line


def test_hdlc_without_hdlc() -> None:
    assert refused(f"{HEAD}[hdlc]\ntransmit = 64\n") == [
        "dut.toml:7: hdlc: goes with HDLC, and the way is 'tcp'"
    ]


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("client_sap = 16", "", "public.client_sap: a whole number"),
        ("client_sap = 16", "client_sap = 0", "0 is not in 1.."),
        ('"NONE"', '"HLS_ECDSA"', "suite: suite 0 has no key pairs"),
        ('"NONE"', '"HLS_GMACC"', "did you mean 'HLS_GMAC'"),
        ('["GET"]', '["GET"]\npolicy = ["ENCRYPTED"]', "needs a ciphered context"),
        ('["GET"]', '["GET"]\ndedicated = true', "needs a ciphered context"),
        ('["GET"]', '["GET"]\nkeys = "x"', "key_file, which is missing"),
        ('["GET"]', '["GET"]\nusers = [256]', "256 is not in 0..255"),
        ('["GET"]', '["GET"]\nusers = [1, 1]', "twice"),
        ('["GET"]', '["GET"]\nown_title = "00"', "8 octets are needed, not 1"),
        ('["GET"]', '["GET"]\ncounter_from = "x"', "no OBIS code"),
        ('["GET"]', '["GET"]\nrelese = false', "did you mean 'release'"),
        ('["GET"]', '["GET"]\nmax_pdu_size = 2', "max_pdu_size: 2 is not in"),
    ],
)
def test_associations_that_cannot_be(was: str, now: str, says: str) -> None:
    (line,) = refused(HEAD + PUBLIC.replace(was, now))
    assert says in line


def test_two_of_the_same_saps() -> None:
    (line,) = refused(HEAD + PUBLIC + PUBLIC.replace("public", "again"))
    assert line == "dut.toml:14: associations.again: has the SAPs of public, 16 and 1"


def test_an_association() -> None:
    one = parse(HEAD + CIPHERED).association("management")
    assert one.context is ApplicationContext.LN_CIPHERED
    assert one.mechanism is Mechanism.HLS_GMAC
    assert one.policy is Protection.BOTH
    assert one.conformance == Conformance.GET | Conformance.SET | Conformance.GENERAL_PROTECTION
    assert one.own_title == bytes.fromhex("4D4D4D0000000001")
    assert one.counter_from == bytes((0, 0, 43, 1, 1, 255))
    assert (one.server_sap, one.release, one.keys) == (1, True, "")


WRITE = """
[[writes]]
association = "public"
class = "Clock"
object = "0-0:1.0.0.255"
attribute = 3
value = { long = 60 }
"""


def test_data_to_write() -> None:
    found = parse(HEAD + PUBLIC + WRITE)
    (one,) = found.writes
    assert one.attribute == (8, bytes((0, 0, 1, 0, 0, 255)), 3)
    assert one.value == Data(DataType.LONG, 60)
    assert found.features["test-data"]
    number = parse(HEAD + PUBLIC + WRITE.replace('"Clock"', "40000"))
    assert number.writes[0].attribute.class_id == 40000


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ('"public"', '"pubic"', "'pubic' is not one of public (did you mean 'public'?)"),
        ('"Clock"', '"Clok"', "did you mean 'Clock'"),
        ('"Clock"', "-1", "not in 0..65535"),
        ("{ long = 60 }", "60", "a value is a table"),
        ("{ long = 60 }", "{ long = 600000 }", "value"),
        ("attribute = 3", "attribute = 0", "0 is not in 1..127"),
        ("value = { long = 60 }", "", "what is to be written is needed"),
    ],
)
def test_data_that_cannot_be_written(was: str, now: str, says: str) -> None:
    (line,) = refused(HEAD + PUBLIC + WRITE.replace(was, now))
    assert says in line
    assert "writes.0" in line


def test_sta_are_two_different_attributes() -> None:
    sta = WRITE.replace("[[writes]]", "[[sta]]")
    for rows in (sta, sta + sta, sta * 3):
        assert "2 different attributes" in refused(HEAD + PUBLIC + rows)[0]
    assert len(parse(HEAD + PUBLIC + sta + sta.replace("= 3", "= 4")).sta) == 2


def test_exclusions() -> None:
    catalogue = built_in()
    found = parse(
        HEAD
        + """
[exclusions]
symsec = "no keys"
X_GBT = "lost blocks"
"HDLC_ADDRESS_*" = "one station"
T_HDLC_FRAME_N1 = "an alias"
hdlc_1 = "a family"
"""
    )
    reasons = excluded(found.exclusions, catalogue)
    assert {reasons[one.id] for one in catalogue.of_group("symsec")} == {"no keys"}
    assert {id for id, why in reasons.items() if why == "lost blocks"} == {
        one.id for one in catalogue if one.id.startswith("X_GBT_")
    }
    assert {id for id, why in reasons.items() if why == "one station"} == {
        one.id for one in catalogue if one.id.startswith("HDLC_ADDRESS_")
    }
    assert reasons["HDLC_FRAME_N1"] == "an alias"
    assert reasons["HDLC_INFO_N1"] == "a family"
    assert "HDLC_FRAME_N1" in {one.id for one in matched("hdlc_frame_n?", catalogue)}
    (line,) = refused(f'{HEAD}[exclusions]\n"XYZ_*" = "no"\n')
    assert "no check's id is like 'XYZ_*'" in line
    (line,) = refused(f"{HEAD}[exclusions]\nsymsek = 'no'\n")
    assert "did you mean 'symsec'" in line
    (line,) = refused(f"{HEAD}[exclusions]\nsymsec = ' '\n")
    assert "must say something" in line


def test_expected_failures() -> None:
    found = parse(f"{HEAD}[expected]\nt_hdlc_frame_n1 = 'mended in 2.4'\n")
    assert [(one.id, one.reason) for one in found.expected] == [("HDLC_FRAME_N1", "mended in 2.4")]
    (line,) = refused(f"{HEAD}[expected]\nAPPL_OPEN_111 = 'no'\n")
    assert "dut.toml:8: expected.APPL_OPEN_111" in line
    assert "did you mean 'APPL_OPEN_1" in line
    (line,) = refused(f"{HEAD}[exclusions]\nhdlc = 'none'\n[expected]\nHDLC_FRAME_N1 = 'x'\n")
    assert line.endswith("is not run, by [exclusions]: none")
    (line,) = refused(f"{HEAD}[expected]\nHDLC_FRAME_N1 = 'x'\nT_HDLC_FRAME_N1 = 'x'\n")
    assert line.endswith("HDLC_FRAME_N1 is there already")


CLIENT = """\
name = "head end"
[way]
kind = "tcp"
[client]
command = ["he", "{host}:{port}", "{task}"]
tasks = ["read", "clock"]
"""


def test_a_head_end() -> None:
    found = parse(CLIENT)
    assert found.client.command == ("he", "{host}:{port}", "{task}")
    assert found.client.tasks == {"read", "clock"}
    assert found.features["client"]
    assert "server" not in found.features
    assert (found.way.host, found.way.port) == ("127.0.0.1", 0)


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("{port}", "{prot}", "did you mean 'port'"),
        ("{host}:{port}", "{host}", "has neither {port}"),
        (', "{task}"', "", "there are several tasks"),
        ("{host}", "{host", "client.command.1"),
        ('"clock"', '"clok"', "did you mean 'clock'"),
        ('tasks = ["read", "clock"]', "", "at least one is needed"),
        ('command = ["he", "{host}:{port}", "{task}"]', "", "program and its arguments"),
    ],
)
def test_head_ends_that_cannot_be_run(was: str, now: str, says: str) -> None:
    lines = refused(CLIENT.replace(was, now))
    assert any(says in line for line in lines)


def test_paths_are_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "dut.toml"
    path.write_text('key_file = "keys.toml"\nimage = "/fw/image.bin"\n' + HEAD)
    found = load(path)
    assert found.key_file == str(tmp_path / "keys.toml")
    assert found.image == "/fw/image.bin"
    assert found.features["image"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"dut.toml: cannot be read: No such file"):
        load(tmp_path / "dut.toml")


def test_names_of_logical_devices() -> None:
    found = parse(HEAD + '[logical_devices]\n1 = "ABC1"\n17 = { hex = "00FF" }\n')
    assert [(one.sap, one.name) for one in found.logical_devices] == [(1, b"ABC1"), (17, b"\0\xff")]
    assert found.features["lds"] == 2
    for row, says in (
        ('x = "A"', "invalid literal"),
        ('0 = "A"', "0 is not in"),
        ('1 = "ABCDEFGHIJKLMNOPQ"', "1 to 16 octets, not 17"),
        ('1 = "é"', "ASCII"),
        ("1 = { hex = '0' }", "hex"),
    ):
        (line,) = refused(f"{HEAD}[logical_devices]\n{row}\n")
        assert says in line


def features(text: str) -> Declaration:
    return parse(HEAD + CIPHERED + text)


def test_features_that_are_added() -> None:
    found = features("[features]\nclock = true\n'key.transfer' = true\n").features
    assert found["clock"]
    assert found["key.transfer"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("sn = true", "contradicts what is declared: false follows from it"),
        ("ln = false", "contradicts what is declared: true follows from it"),
        ("clients = 2", "contradicts what is declared: 1 follows from it"),
        ("hdlc = true", "contradicts"),
        ("test-data = true", "contradicts"),
        ("clients = true", "a whole number is needed"),
        ("clock = 1", "true or false is needed"),
        ("'key.pairs' = true", "needs suite >= 1"),
        ("'hdlc.ui' = true", "needs hdlc"),
        ("'tls.1.3' = true", "needs tls.server or tls.client"),
        ("tls.ems = true", "keys with a dot are quoted"),
    ],
)
def test_features_that_cannot_be(row: str, says: str) -> None:
    (line,) = refused(f"{HEAD}{CIPHERED}[features]\n{row}\n")
    assert says in line


def test_what_is_likely_may_be_denied() -> None:
    hdlc = HEAD.replace("tcp", "hdlc") + PUBLIC
    assert parse(hdlc).features["hdlc.segmented"]
    assert "hdlc.segmented" not in parse(f"{hdlc}[features]\n'hdlc.segmented' = false\n").features


def test_settings() -> None:
    assert parse(f"{HEAD}[settings]\n'tls.suites' = 'X'\n").settings == {"tls.suites": "X"}
    (line,) = refused(f"{HEAD}[settings]\nx = 1\n")
    assert "settings.x: a string is needed" in line
