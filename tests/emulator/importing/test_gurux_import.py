"""What becomes of a dump: a profile that loads, whatever was in it, and a list of what is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.profile import Profile, load_text
from dlms.axdr.data import Data, DataType
from dlms.cosem import obis
from dlms.security.control import Protection
from emulator.importing.dump import DumpError
from emulator.importing.gurux import Imported, import_dump

FIXTURE = (Path(__file__).parents[3] / "fixtures" / "dumps" / "aclara_s1sp.xml").read_bytes()
T = DataType


def dump(*objects: str) -> bytes:
    return "\n".join(["<Objects>", *objects, "</Objects>"]).encode()


def element(kind: str, name: str, inside: str = "", access: str = "") -> str:
    rights = f"<Access>{access}</Access>" if access else ""
    return f"<GXDLMS{kind}><LN>{name}</LN>{rights}{inside}</GXDLMS{kind}>"


def association(
    sap: int, context: int = 1, mechanism: int = 0, name: str = "0.0.40.0.0.255", more: str = ""
) -> str:
    return element(
        "AssociationLogicalName",
        name,
        f"<Version>1</Version><ClientSAP>{sap}</ClientSAP><ServerSAP>7</ServerSAP>"
        f"<ApplicationContextName><ContextId>{context}</ContextId></ApplicationContextName>"
        "<XDLMSContextInfo><Conformance>1572864</Conformance>"
        "<MaxReceivePduSize>500</MaxReceivePduSize></XDLMSContextInfo>"
        "<AuthenticationMechanismName>"
        f"<MechanismId>{mechanism}</MechanismId></AuthenticationMechanismName>{more}",
    )


def made(*objects: str, **options: Any) -> tuple[Imported, Profile]:
    result = import_dump(dump(*objects), "some.xml", **options)
    return result, load_text(result.text, "made.toml")


def value(typed: str, kind: str = "Data", number: int = 2) -> Data | None:
    """What becomes of one typed value."""
    _, profile = made(element(kind, "0.0.96.1.5.255", typed))
    return profile.objects[obis.parse("0-0:96.1.5.255")].values.get(number)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ('<Value Type="6">5</Value>', Data(T.DOUBLE_LONG_UNSIGNED, 5)),
        ('<Value Type="16">-5</Value>', Data(T.LONG, -5)),
        ('<Value Type="22">3</Value>', Data(T.ENUM, 3)),
        ('<Value Type="3">1</Value>', Data(T.BOOLEAN, True)),
        ('<Value Type="3">False</Value>', Data(T.BOOLEAN, False)),
        ('<Value Type="4">0110</Value>', Data(T.BIT_STRING, "0110")),
        ('<Value Type="9">0A 0B</Value>', Data(T.OCTET_STRING, b"\x0a\x0b")),
        ('<Value Type="9" UIType="10">A"\u00fc</Value>', Data(T.OCTET_STRING, b'A"\xfc')),
        ('<Value Type="10">A b</Value>', Data(T.VISIBLE_STRING, "A b")),
        ('<Value Type="12">\u00fc\U0001f600</Value>', Data(T.UTF8_STRING, "\u00fc\U0001f600")),
        ('<Value Type="24">1.5</Value>', Data(T.FLOAT64, 1.5)),
        ('<Value Type="0"/>', Data(T.NULL_DATA, None)),
        ('<Value Type="26">*/*/2020 *:*:*</Value>', Data(T.OCTET_STRING, b"\x07\xe4\xff\xff\xff")),
        (
            '<Value Type="2"><Item Type="17">1</Item><Item Type="1"><Item Type="17">2</Item></Item>'
            "</Value>",
            Data(T.STRUCTURE, (Data(T.UNSIGNED, 1), Data(T.ARRAY, (Data(T.UNSIGNED, 2),)))),
        ),
    ],
)
def test_a_typed_value(typed: str, expected: Data) -> None:
    assert value(typed) == expected


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ('<Value Type="17">256</Value>', "256 does not fit unsigned"),
        ('<Value Type="17">x</Value>', "'x' is no whole number"),
        ('<Value Type="8">1</Value>', "'8' is no type"),
        ('<Value Type="x">1</Value>', "'x' is no type"),
        ('<Value Type="9">0G</Value>', "hexadecimal"),
        ('<Value Type="4">012</Value>', "no bit-string"),
        ('<Value Type="3">2</Value>', "neither 0 nor 1"),
        ('<Value Type="19">2</Value>', "compact-array cannot be imported"),
        ('<Value Type="25">soon</Value>', "'soon' is no time"),
        ('<Value Type="24">soon</Value>', "'soon' is no number"),
        ("<Value>5</Value>", "the dump does not say it"),
        ("", "the dump does not say it"),
    ],
)
def test_a_value_that_cannot_be_read_is_left_out(typed: str, problem: str) -> None:
    result, profile = made(element("Data", "0.0.96.1.5.255", typed))
    assert profile.objects[obis.parse("0-0:96.1.5.255")].values == {}
    (line,) = [one for one in result.left_out if "0-0:96.1.5.255" in one]
    assert line.startswith("0-0:96.1.5.255 Data (line 2), attribute 2 value: ")
    assert problem in line
    assert f"# left out: {line}" in result.text.splitlines()


@pytest.mark.parametrize(
    ("scaler", "shown", "raw", "exponent"),
    [
        ("0.1", "238.5", 2385, -1),
        ("1000.0", "5000.0", 5, 3),
        ("1.0", "7", 7, 0),
        ("1E-05", "0.3", 30000, -5),
    ],
)
def test_a_register_is_not_scaled(scaler: str, shown: str, raw: int, exponent: int) -> None:
    """A dump has the factor and the product; a meter has the exponent and the number."""
    inside = f'<Unit>35</Unit><Scaler>{scaler}</Scaler><Value Type="18" UIType="24">{shown}</Value>'
    _, profile = made(element("Register", "1.0.52.7.0.255", inside))
    values = profile.objects[obis.parse("1-0:52.7.0.255")].values
    assert values[2] == Data(T.LONG_UNSIGNED, raw)
    assert values[3] == Data(T.STRUCTURE, (Data(T.INTEGER, exponent), Data(T.ENUM, 35)))


@pytest.mark.parametrize("scaler", ["0", "-1", "2", "nan", "inf", "x"])
def test_a_factor_that_is_no_scaler(scaler: str) -> None:
    inside = f"<Unit>35</Unit><Scaler>{scaler}</Scaler>"
    result, profile = made(element("Register", "1.0.52.7.0.255", inside))
    assert 3 not in profile.objects[obis.parse("1-0:52.7.0.255")].values
    assert any("attribute 3 scaler_unit: " in line for line in result.left_out)


# Rights ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("access", "methods", "words"),
    [
        ("111", "0", {1: 1, 2: 1, 3: 1}),
        ("103", "1", {1: 1, 3: 3}),
        ("146", "2", {1: 1, 2: 5, 3: 7}),
        ("1", "", {1: 1}),
        ("1119999", "9", {1: 1, 2: 1, 3: 1}),
    ],
)
def test_the_rights_of_the_dump(access: str, methods: str, words: dict[int, int]) -> None:
    inside = f"<MethodAccess>{methods}</MethodAccess>"
    _, profile = made(association(16), element("Register", "1.0.52.7.0.255", inside, access))
    rights = profile.objects[obis.parse("1-0:52.7.0.255")].rights["public"]
    assert {n: int(a) for n, a in rights.attributes.items() if a} == words
    assert {n: int(a) for n, a in rights.invocable.items()} == (
        {1: int(methods) ** 2 + (methods == "2")} if methods in ("1", "2") else {}
    )


def test_what_could_not_be_read_is_not_imported() -> None:
    """What is in the file then is what the package's object was made with."""
    inside = '<MethodAccess/><Value Type="6">0</Value>'
    result, profile = made(association(16), element("Data", "0.0.96.1.5.255", inside, "12"))
    assert profile.objects[obis.parse("0-0:96.1.5.255")].values == {}
    assert any("could not be read when the dump was made" in line for line in result.left_out)


def test_rights_as_bits() -> None:
    version3 = association(16).replace("<Version>1", "<Version>3")
    inside = "<Access3>8001800B</Access3><MethodAccess3/>"
    _, profile = made(version3, element("Data", "0.0.96.1.5.255", inside))
    rights = profile.objects[obis.parse("0-0:96.1.5.255")].rights["public"]
    assert {n: int(a) for n, a in rights.attributes.items()} == {1: 1, 2: 0x0B}


def test_the_rights_of_others_are_reading_and_those_of_the_common_profile() -> None:
    _, profile = made(
        association(16),
        element("Register", "1.0.52.7.0.255", access="100"),
        element("Clock", "0.0.1.0.0.255"),
    )
    other = profile.objects[obis.parse("1-0:52.7.0.255")].rights
    assert other["reader"].attributes == {1: 1, 2: 1, 3: 1}
    assert (other["dco"].attributes[2], other["dco"].methods) == (3, {1})
    clock = profile.objects[obis.parse("0-0:1.0.0.255")].rights
    assert clock["dco"].methods == {1, 3, 6}


# Associations ------------------------------------------------------------------------------------


def test_without_an_association_there_is_the_default_set() -> None:
    result, profile = made(element("Data", "0.0.96.1.5.255"))
    assert list(profile.associations) == ["public", "reader", "s1sp", "dco", "alerts"]
    assert all(row.provenance.assumed for row in profile.associations.values())
    assert profile.objects[obis.parse("0-0:43.1.2.255")].role == "invocation-counter dco"
    assert profile.server_sap == 1
    assert result.name == "some"


def test_the_association_of_the_dump() -> None:
    _, profile = made(association(16))
    row = profile.associations["public"]
    assert (row.config.max_pdu_size, row.provenance.text) == (500, "imported from some.xml")
    assert {bit.name for bit in row.config.conformance} == {"GET", "SET"}
    assert (profile.server_sap, profile.provenance["server_sap"].assumed) == (7, False)


def test_an_association_that_is_like_no_default() -> None:
    """It keeps its address; the default that had it moves."""
    _, profile = made(association(1, mechanism=1))
    row = profile.associations["client_1"]
    assert (row.config.client_sap, row.config.mechanism.name) == (1, "LLS")
    assert profile.associations["dco"].config.client_sap == 127


def test_keys_and_policy_are_those_of_the_security_setup() -> None:
    setup = "<SecurityPolicy>2</SecurityPolicy><SecuritySuite>0</SecuritySuite>"
    reference = "<SecuritySetupReference>0.0.43.0.2.255</SecuritySetupReference>"
    _, profile = made(
        association(2, 3, 5, more=reference), element("SecuritySetup", "0.0.43.0.2.255", setup)
    )
    row = profile.associations["s1sp"]
    assert (row.security_setup, row.config.policy) == (2, Protection.ENCRYPTED)
    assert profile.associations["dco"].security_setup == 255
    assert not profile.objects[obis.parse("0-0:43.0.2.255")].provenance.assumed
    assert profile.objects[obis.parse("0-0:43.0.255.255")].provenance.assumed


def test_two_associations_of_a_dump() -> None:
    _, profile = made(association(16), association(3, mechanism=1, name="0.0.40.0.1.255"))
    assert not profile.associations["public"].provenance.assumed
    assert not profile.associations["reader"].provenance.assumed
    assert obis.parse("0-0:40.0.1.255") not in profile.objects


@pytest.mark.parametrize(
    ("one", "problem"),
    [
        (association(0), "client SAP 0 is not in 1..127"),
        (association(200), "client SAP 200 is not"),
        (association(9, context=2), "short names are not imported"),
        (association(9, context=9), "9 is not a valid ApplicationContext"),
        (association(9, mechanism=2), "a manufacturer computes"),
        (association(9, 3, 7), "suite 0 has no key pairs"),
    ],
)
def test_an_association_that_cannot_be_had(one: str, problem: str) -> None:
    result, profile = made(one)
    assert list(profile.associations) == ["public", "reader", "s1sp", "dco", "alerts"]
    assert any(problem in line for line in result.left_out)


# The whole ---------------------------------------------------------------------------------------


def test_the_identity_is_what_the_dump_says() -> None:
    result = import_dump(FIXTURE, "aclara_s1sp.xml")
    profile = load_text(result.text, "made.toml")
    assert (profile.name, profile.flag_id, profile.title_prefix) == ("aclara_s1sp", "ACL", b"\x13")
    assert profile.logical_device_name(1) == b"ACL0000000000001"
    assert (profile.currency_scale, profile.kind) == (-2, "electricity")
    assert len(profile.instructions) == 5
    assert not profile.provenance["flag_id"].assumed
    assert profile.provenance["model"].assumed


def test_a_row_that_is_partly_assumed_is_no_fact() -> None:
    profile = load_text(import_dump(FIXTURE, "x.xml").text, "made.toml")
    charge = profile.objects[obis.parse("0-0:19.20.0.255")].provenance
    assert charge.assumed
    assert "attributes 5, 6 are the common profile's" in charge.text
    assert not profile.objects[obis.parse("0-0:1.0.0.255")].provenance.assumed


def test_gas_is_known_by_its_objects() -> None:
    _, profile = made(element("Register", "7.0.3.0.0.255"))
    assert profile.kind == "gas"
    _, profile = made(element("Register", "7.0.3.0.0.255"), element("Register", "1.0.1.8.0.255"))
    assert profile.kind == "electricity"


def test_what_does_not_go_together_is_left_out() -> None:
    """An Account needs a token credit; an Instruction what it is about."""
    result, profile = made(element("Account", "0.0.19.0.0.255"))
    assert obis.parse("0-0:19.0.0.255") not in profile.objects
    assert any("needs a Credit of type 0" in line for line in result.left_out)
    assert profile.instructions == {}
    assert sum(line.startswith("instructions.") for line in result.left_out) == 6


@pytest.mark.parametrize(
    ("one", "problem"),
    [
        ("<GXDLMSNothing><LN>0.0.1.0.0.255</LN></GXDLMSNothing>", "no class is known of this name"),
        ("<Clock><LN>0.0.1.0.0.255</LN></Clock>", "no class is known"),
        ("<GXDLMSClock/>", "it has no logical name"),
        (element("Clock", "0.0"), "no OBIS code"),
        (element("Clock", "0.0.1.0.0.255", "<Version>9</Version>"), "not known in version 9"),
        (element("AssociationShortName", "0.0.40.0.0.255"), "short names are not imported"),
        (
            element("SecuritySetup", "0.0.43.0.9.255"),
            "no association of the profile has these keys",
        ),
    ],
)
def test_an_object_that_is_left_out(one: str, problem: str) -> None:
    result, _ = made(element("Data", "0.0.96.1.5.255"), one)
    assert any(problem in line for line in result.left_out)


def test_the_first_of_two_of_a_name_counts() -> None:
    result, profile = made(element("Clock", "0.0.1.0.0.255"), element("Data", "0.0.1.0.0.255"))
    assert profile.objects[obis.parse("0-0:1.0.0.255")].interface_class.name == "Clock"
    assert any("is there already" in line for line in result.left_out)


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b"<Objects>\n<a></Objects>", r"^some\.xml:2: mismatched tag"),
        (b"\n<Things/>", r"^some\.xml:2: <Objects> is needed, not <Things>"),
        (b"<Objects/>", r"^some\.xml:1: there is no object in it"),
        (b"<!DOCTYPE x>\n<Objects/>", r"^some\.xml:1: a document type is refused"),
    ],
)
def test_no_dump(octets: bytes, problem: str) -> None:
    with pytest.raises(DumpError, match=problem):
        import_dump(octets, "some.xml")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("my meter (1).xml", "my_meter_1"),
        ("../a/b.xml", "b"),
        ("\u00fc.xml", "imported"),
        ("x", "x"),
    ],
)
def test_a_name_from_the_file(file: str, name: str) -> None:
    assert import_dump(FIXTURE, file).name == name


def test_nothing_in_a_dump_gets_out_of_its_comment_or_string() -> None:
    evil = 'x"\n[identity]\nname = "evil'
    inside = f'<Value Type="10">{evil}</Value>'
    _, profile = made(
        element("Data", "0.0.96.1.5.255", inside),
        "<GXDLMSData><LN>1&#10;[objects]&#10;x = 5</LN></GXDLMSData>",
    )
    assert profile.objects[obis.parse("0-0:96.1.5.255")].values[2].value == evil
    assert profile.name == "some"


TOKENS = sorted(set(re.findall(rb">([^<>\s][^<>]*)<", FIXTURE)))


@settings(max_examples=60)
@given(st.data())
def test_a_dump_that_somebody_has_changed(data: st.DataObject) -> None:
    """Texts are exchanged, tags are cut: a profile comes of it, or one line that says why not."""
    octets = FIXTURE
    for _ in range(data.draw(st.integers(1, 6))):
        old = data.draw(st.sampled_from(TOKENS))
        new = data.draw(
            st.one_of(
                st.sampled_from(
                    [b"", b"-1", b"99999999999999999999", b"x", b"1.5", b"0.0.0.0.0.0"]
                ),
                st.sampled_from(TOKENS),
            )
        )
        octets = octets.replace(b">" + old + b"<", b">" + new + b"<", data.draw(st.integers(1, 9)))
    problem = ""
    try:
        result = import_dump(octets, "x.xml")
    except ValueError as error:
        problem = str(error)
    else:
        assert load_text(result.text, "made.toml").associations
    assert problem.startswith("x.xml") or not problem
