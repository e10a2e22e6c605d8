"""A profile that cannot be used is refused, and the error says where and what."""

from __future__ import annotations

import json
import re
from importlib import resources

import pytest

from devices.profile import Document, ProfileError, load, load_text, profile_of, read
from devices.profile.sources import Written
from dlms.cosem import obis

BASE = 'extends = "secure"\nname = "mine"\n'
CLOCK = '[objects."0-0:1.0.0.255"]\n'
SERIAL = '[objects."0-0:96.1.0.255"]\n'
S1SP = "[associations.s1sp]\n"
PUBLIC = "[associations.public]\n"
IDENTITY = "[identity]\n"
SET_CLOCK = "[instructions.set_clock]\n"
NEW = '[objects."0-0:96.1.9.255"]\n'

GBT = 'conformance = ["GET", "GENERAL_BLOCK_TRANSFER"]\n'

AT_CLOCK = "objects.0-0:1.0.0.255"
AT_SERIAL = "objects.0-0:96.1.0.255"
AT_S1SP = "associations.s1sp"
AT_STEP = "instructions.set_clock.steps.0"

# What is added to a good profile, the place and a word of the problem that the error names.
ERRORS = [
    # Unknown keys
    ("colour = 1\n", "colour", "unknown key"),
    (IDENTITY + 'colour = { value = 1, assumed = "x" }', "identity.colour", "unknown key"),
    (IDENTITY + 'model = { value = "x", assumed = "x", why = 1 }', "identity.model.why", "unknown"),
    (S1SP + "colour = 1", f"{AT_S1SP}.colour", "unknown key"),
    (CLOCK + "colour = 1", f"{AT_CLOCK}.colour", "unknown key"),
    (SET_CLOCK + "colour = 1", "instructions.set_clock.colour", "unknown key"),
    (SET_CLOCK + "steps = [{ get = 1 }]", f"{AT_STEP}.get", "unknown key"),
    # Wrong types
    ("objects = 5\n", "objects", "a table is needed"),
    ("associations = 5\n", "associations", "a table is needed"),
    ("identity = 5\n", "identity", "a table is needed"),
    ("instructions = 5\n", "instructions", "a table is needed"),
    (IDENTITY + "model = 5", "identity.model", "a table is needed"),
    (
        IDENTITY + 'model = { value = 5, assumed = "x" }',
        "identity.model.value",
        "a string is needed",
    ),
    (
        IDENTITY + 'category = { value = "2", assumed = "x" }',
        "identity.category.value",
        "a whole number",
    ),
    (
        IDENTITY + 'category = { value = true, assumed = "x" }',
        "identity.category.value",
        "a whole number",
    ),
    ("[associations]\ns1sp = 5", AT_S1SP, "table is needed"),
    (S1SP + 'client_sap = "2"', f"{AT_S1SP}.client_sap", "a whole number is needed"),
    (S1SP + "context = 3", f"{AT_S1SP}.context", "a string is needed"),
    (S1SP + 'conformance = "GET"', f"{AT_S1SP}.conformance", "a list is needed"),
    (S1SP + "conformance = [[1]]", f"{AT_S1SP}.conformance", "unknown"),
    (S1SP + "max_pdu_size = 1.5", f"{AT_S1SP}.max_pdu_size", "a whole number is needed"),
    (S1SP + "policy = true", f"{AT_S1SP}.policy", "a whole number is needed"),
    (S1SP + 'dedicated = "no"', f"{AT_S1SP}.dedicated", "true or false is needed"),
    (S1SP + 'security_setup = "1"', f"{AT_S1SP}.security_setup", "a whole number is needed"),
    (S1SP + "protected_release = 1", f"{AT_S1SP}.protected_release", "true or false is needed"),
    ('[objects]\n"0-0:1.0.0.255" = 5', AT_CLOCK, "table is needed"),
    (CLOCK + "class = 8", f"{AT_CLOCK}.class", "a string is needed"),
    (CLOCK + "values = 5", f"{AT_CLOCK}.values", "a table is needed"),
    (CLOCK + 'rights = "r"', f"{AT_CLOCK}.rights", "a table is needed"),
    (CLOCK + "rights.public = 5", f"{AT_CLOCK}.rights.public", "a string is needed"),
    (CLOCK + "role = 5", f"{AT_CLOCK}.role", "a string is needed"),
    (CLOCK + 'absent = "no"', f"{AT_CLOCK}.absent", "true or false is needed"),
    ("[instructions]\nset_clock = 5", "instructions.set_clock", "table is needed"),
    (SET_CLOCK + "steps = [5]", AT_STEP, "table is needed"),
    (SET_CLOCK + "critical = 1", "instructions.set_clock.critical", "true or false is needed"),
    # Logical names, classes, attributes, values
    ('[objects."0-0:1.0"]\nclass = "Clock"\nassumed = "x"', "objects.0-0:1.0", "no OBIS code"),
    ('[objects."0-0:1.0.0.256"]\nassumed = "x"', "objects.0-0:1.0.0.256", "above 255"),
    ('[objects."1.0.0"]\nclass = "Clock"\nassumed = "x"', "objects.1.0.0", "there already"),
    (NEW + 'class = "Klock"\nassumed = "x"', "objects.0-0:96.1.9.255.class", "unknown"),
    (NEW + 'assumed = "x"', "objects.0-0:96.1.9.255.class", "a string is needed"),
    (CLOCK + "values.10 = { unsigned = 1 }", f"{AT_CLOCK}.values.10", "no attribute 10"),
    (CLOCK + "values.0 = { unsigned = 1 }", f"{AT_CLOCK}.values.0", "no attribute 0"),
    (CLOCK + "values.time = { unsigned = 1 }", f"{AT_CLOCK}.values.time", "by number"),
    (CLOCK + 'values."²" = { unsigned = 1 }', f"{AT_CLOCK}.values.²", "by number"),
    (CLOCK + 'values.1 = { octet-string = "" }', f"{AT_CLOCK}.values.1", "logical name"),
    (CLOCK + "values.3 = { unsigned = 1 }", f"{AT_CLOCK}.values.3", "is long, not unsigned"),
    (CLOCK + "values.3 = 5", f"{AT_CLOCK}.values.3", "table of one entry"),
    (CLOCK + "values.3 = { long = 1, integer = 1 }", f"{AT_CLOCK}.values.3", "one entry"),
    (CLOCK + "values.3 = { lung = 1 }", f"{AT_CLOCK}.values.3", "no data type"),
    (CLOCK + "values.3 = { long = 40000 }", f"{AT_CLOCK}.values.3", "long"),
    (CLOCK + "values.3 = { long = true }", f"{AT_CLOCK}.values.3", "true or false"),
    (CLOCK + 'values.3 = { long = "1" }', f"{AT_CLOCK}.values.3", "long"),
    (CLOCK + 'values.5 = { octet-string = "0G" }', f"{AT_CLOCK}.values.5", "hexadecimal"),
    (CLOCK + "values.5 = { octet-string = 5 }", f"{AT_CLOCK}.values.5", "needs a string"),
    (CLOCK + 'values.5 = { date-time = "soon" }', f"{AT_CLOCK}.values.5", "isoformat"),
    (CLOCK + 'values.5 = { ascii = "ü" }', f"{AT_CLOCK}.values.5", "ascii"),
    (CLOCK + 'values.5 = { obis = "1" }', f"{AT_CLOCK}.values.5", "no OBIS code"),
    (SERIAL + "values.2 = { array = 5 }", f"{AT_SERIAL}.values.2", "needs a list"),
    (SERIAL + "values.2 = { array = [5] }", f"{AT_SERIAL}.values.2", "one entry"),
    (SERIAL + 'values.2 = { bit-string = "012" }', f"{AT_SERIAL}.values.2", "0 and 1"),
    # Rights and roles
    (CLOCK + 'rights.nobody = "r"', f"{AT_CLOCK}.rights.nobody", "no such association"),
    (CLOCK + 'rights.public = "x"', f"{AT_CLOCK}.rights.public", "'x'"),
    (CLOCK + 'rights.public = "r 10r"', f"{AT_CLOCK}.rights.public", "no attribute 10"),
    (CLOCK + 'rights.public = "m7"', f"{AT_CLOCK}.rights.public", "no method 7"),
    (SERIAL + 'role = "shoe-size"', f"{AT_SERIAL}.role", "'shoe-size' is unknown"),
    (SERIAL + 'role = "invocation-counter nobody"', f"{AT_SERIAL}.role", "'nobody'"),
    # Associations
    (S1SP + 'context = "XX"', f"{AT_S1SP}.context", "'XX' is unknown"),
    (S1SP + 'context = "SN_CIPHERED"', "short_name_objects", "current association is missing"),
    (S1SP + 'mechanism = "XX"', f"{AT_S1SP}.mechanism", "'XX' is unknown"),
    (S1SP + 'mechanism = "HLS"', f"{AT_S1SP}.mechanism", "manufacturer"),
    (S1SP + 'mechanism = "HLS_ECDSA"', f"{AT_S1SP}.suite", "no key pairs"),
    (S1SP + "suite = 3", f"{AT_S1SP}.suite", "not one of 0, 1, 2"),
    (S1SP + "pre_established = true", AT_S1SP, "no authentication"),
    (S1SP + "broadcast = true", AT_S1SP, "a broadcast has none"),
    (S1SP + "pre_established = 1", f"{AT_S1SP}.pre_established", "true or false is needed"),
    (S1SP + "response_policy = 4", f"{AT_S1SP}.response_policy", "not one of"),
    (PUBLIC + "response_policy = 1", "associations.public.response_policy", "ciphered context"),
    (S1SP + 'knobs = "kind"', f"{AT_S1SP}.knobs.preset", "not one of"),
    (S1SP + "knobs = 5", f"{AT_S1SP}.knobs", "a table is needed"),
    (S1SP + 'users = "all"', f"{AT_S1SP}.users", "a table is needed"),
    (S1SP + 'users = { 256 = "x" }', f"{AT_S1SP}.users.256", "not in 0..255"),
    (S1SP + 'users = { x = "x" }', f"{AT_S1SP}.users.x", "invalid literal"),
    (S1SP + 'users = { 1 = "ü" }', f"{AT_S1SP}.users.1", "ASCII"),
    (CLOCK + "version = 7", f"{AT_CLOCK}.version", "known are 0"),
    (CLOCK + 'version = "0"', f"{AT_CLOCK}.version", "a whole number is needed"),
    (CLOCK + "base_name = 12", f"{AT_CLOCK}.base_name", "multiple of 8"),
    (CLOCK + "base_name = 65536", f"{AT_CLOCK}.base_name", "not in 0..65528"),
    (CLOCK + 'rights.s1sp = "r+e"', f"{AT_CLOCK}.rights.s1sp", "version 1 has no code"),
    (CLOCK + 'rights.s1sp = "-+a"', f"{AT_CLOCK}.rights.s1sp", "conditions for nothing"),
    (
        '[short_name_objects."0-0:40.0.0.255"]\nclass = "Association SN"\nassumed = "x"',
        "short_name_objects",
        "no association uses short names",
    ),
    (S1SP + 'conformance = ["XX"]', f"{AT_S1SP}.conformance", "'XX' is unknown"),
    (S1SP + "policy = 4", f"{AT_S1SP}.policy", "not one of 0, 1, 2, 3"),
    (S1SP + 'protection = "XX"', f"{AT_S1SP}.protection", "'XX' is unknown"),
    (S1SP + 'protection = "ENCRYPTED"', f"{AT_S1SP}.protection", "less than the policy"),
    (S1SP + "max_pdu_size = 11", f"{AT_S1SP}.max_pdu_size", "not in 12..65535"),
    (S1SP + "block_window = 8", f"{AT_S1SP}.block_window", "goes with GENERAL_BLOCK_TRANSFER"),
    (S1SP + GBT + "block_window = 0", f"{AT_S1SP}.block_window", "not in 1..63"),
    (S1SP + GBT + "block_window = 64", f"{AT_S1SP}.block_window", "not in 1..63"),
    (S1SP + GBT + "block_window = true", f"{AT_S1SP}.block_window", "a whole number is needed"),
    (S1SP + "max_pdu_size = 65536", f"{AT_S1SP}.max_pdu_size", "not in 12..65535"),
    (S1SP + "client_sap = 0", f"{AT_S1SP}.client_sap", "not in 1..127"),
    (S1SP + "client_sap = 128", f"{AT_S1SP}.client_sap", "not in 1..127"),
    (S1SP + "client_sap = 16", f"{AT_S1SP}.client_sap", "that of public"),
    (S1SP + "security_setup = 256", f"{AT_S1SP}.security_setup", "not in 0..255"),
    ("[associations.dco]\nsecurity_setup = 1", "associations.dco.security_setup", "that of s1sp"),
    ("[associations.dco]\nsecurity_setup = 7", "objects.0-0:43.0.2.255", "no association"),
    (PUBLIC + "dedicated = true", "associations.public.dedicated", "ciphered context"),
    (PUBLIC + "policy = 1", "associations.public.policy", "ciphered context"),
    (PUBLIC + 'mechanism = "HLS_GMAC"', "associations.public", "security_setup is missing"),
    (PUBLIC + 'context = "LN_CIPHERED"', "associations.public", "security_setup is missing"),
    ('[associations.new]\nassumed = "x"', "associations.new.context", "a string is needed"),
    # Identity
    (IDENTITY + 'category = { value = 3, assumed = "x" }', "identity.category", "3 is not one of"),
    (
        S1SP + 'authentication_key = "single-association"',
        f"{AT_S1SP}.authentication_key",
        "Category 2",
    ),
    (IDENTITY + 'top_up = { value = "cash", assumed = "x" }', "identity.top_up", "'cash'"),
    (IDENTITY + 'flag_id = { value = "ehl", assumed = "x" }', "identity.flag_id", "upper-case"),
    (IDENTITY + 'flag_id = { value = "EH", assumed = "x" }', "identity.flag_id", "three"),
    (IDENTITY + 'flag_id = { value = "EH1", assumed = "x" }', "identity.flag_id", "letters"),
    (IDENTITY + 'flag_id = { value = "EHÜ", assumed = "x" }', "identity.flag_id", "letters"),
    (
        IDENTITY + 'title_prefix = { value = "01020304", assumed = "x" }',
        "identity.title_prefix",
        "3",
    ),
    (IDENTITY + 'title_prefix = { value = "0", assumed = "x" }', "identity.title_prefix", "hex"),
    (IDENTITY + 'currency_scale = { value = -1, assumed = "x" }', "identity.currency_scale", "-2"),
    (IDENTITY + 'currency_scale = { value = -6, assumed = "x" }', "identity.currency_scale", "-5"),
    (IDENTITY + 'max_credit = { value = -1, assumed = "x" }', "identity.max_credit", "not in"),
    (
        IDENTITY + 'max_balance = { value = 2147483648, assumed = "x" }',
        "identity.max_balance",
        "in",
    ),
    (IDENTITY + 'server_sap = { value = 0, assumed = "x" }', "identity.server_sap", "not in"),
    (IDENTITY + 'ldn = { value = "{name}", assumed = "x" }', "identity.ldn", "not a format"),
    (IDENTITY + 'ldn = { value = "{", assumed = "x" }', "identity.ldn", "not a format"),
    (IDENTITY + 'ldn = { value = "ü", assumed = "x" }', "identity.ldn", "not a format"),
    (IDENTITY + 'ldn = { value = "{serial:017d}", assumed = "x" }', "identity.ldn", "17 octets"),
    # Provenance
    (IDENTITY + 'model = { value = "x" }', "identity.model", "either 'source' or 'assumed'"),
    (IDENTITY + 'model = { value = "x", source = "y", assumed = "z" }', "identity.model", "either"),
    (
        IDENTITY + 'model = { value = "x", source = 5 }',
        "identity.model.source",
        "a string is needed",
    ),
    (IDENTITY + 'model = { value = "x", source = " " }', "identity.model.source", "say something"),
    (S1SP + 'source = "y"\nassumed = "z"', AT_S1SP, "either"),
    (NEW + 'class = "Data"', "objects.0-0:96.1.9.255", "either"),
    (NEW + 'class = "Data"\nsource = "y"\nassumed = "z"', "objects.0-0:96.1.9.255", "either"),
    (
        '[instructions.x]\nassociation = "dco"\ncritical = true\nsteps = []',
        "instructions.x",
        "eith",
    ),
    # Instructions
    (SET_CLOCK + 'association = "nobody"', "instructions.set_clock.association", "'nobody'"),
    (SET_CLOCK + "steps = [{}]", AT_STEP, "either 'set' or 'action'"),
    (SET_CLOCK + 'steps = [{ set = "0-0:1.0.0.255" }]', AT_STEP, "a number"),
    (SET_CLOCK + 'steps = [{ set = "0-0:1.0.0.255 x" }]', AT_STEP, "a number"),
    (SET_CLOCK + 'steps = [{ set = "x 2" }]', AT_STEP, "no OBIS code"),
    (SET_CLOCK + 'steps = [{ set = "0-0:1.0.9.255 2" }]', AT_STEP, "no object"),
    (SET_CLOCK + 'steps = [{ set = "0-0:1.0.0.255 3" }]', AT_STEP, "may not write"),
    (SET_CLOCK + 'steps = [{ action = "0-0:1.0.0.255 2" }]', AT_STEP, "may not invoke"),
    (
        SET_CLOCK + 'association = "s1sp"\nsteps = [{ set = "0-0:1.0.0.255 2" }]',
        AT_STEP,
        "s1sp may not write",
    ),
    (
        SET_CLOCK + 'steps = [{ set = "0-0:1.0.0.255 2", action = "0-0:1.0.0.255 1" }]',
        AT_STEP,
        "either 'set' or 'action'",
    ),
    (SET_CLOCK + 'steps = [{ set = "0-0:1.0.0.255 2" }]', f"{AT_STEP}.value", "one entry"),
    (
        SET_CLOCK + 'steps = [{ set = "0-0:1.0.0.255 2", value = { enum = 1 } }]',
        f"{AT_STEP}.value",
        "enum does not fit",
    ),
    (
        SET_CLOCK + 'steps = [{ action = "0-0:1.0.0.255 6", value = "argument" }]',
        f"{AT_STEP}.value",
        "one entry",
    ),
    # Rows that are right each by itself but not together
    ('[objects."0-0:19.10.0.255"]\nabsent = true', "objects.0-0:19.0.0.255", "token credit"),
    (
        '[objects."0-0:43.0.9.255"]\nclass = "Security setup"\nassumed = "x"',
        "objects.0-0:43.0.9.255",
        "no association has security_setup 9",
    ),
]


# What is wrong stands in a file that is extended, because of what was added to the other.
INHERITED = {"objects.0-0:43.0.2.255", "objects.0-0:19.0.0.255", "short_name_objects"}


@pytest.mark.parametrize(("extra", "where", "problem"), ERRORS)
def test_the_error_names_file_and_place(extra: str, where: str, problem: str) -> None:
    with pytest.raises(ProfileError, match=re.escape(problem)) as caught:
        load_text(BASE + extra, "mine.toml")
    error = caught.value
    assert (error.place.file, ".".join(error.place.path)) == ("mine.toml", where)
    assert problem in error.problem
    if where not in INHERITED:
        assert re.match(rf"mine\.toml:\d+: {re.escape(where)}: ", str(error))
        assert error.place.origin is not None
        # All that was added stands behind the base: no line of that is to blame.
        assert 3 <= error.place.origin.line <= (BASE + extra).count("\n") + 1


LINES = [
    # What is wrong is on the line marked with !, however it is written.
    (S1SP + "max_pdu_size = 1024\n!policy = 4", "policy"),
    ("[associations]\n!s1sp.policy = 4", "policy"),
    ("[associations]\n!s1sp = { max_pdu_size = 1024, policy = 4 }", "policy"),
    (CLOCK + "values.3 = { long = 1 }\n!values.7 = { long = 1 }\nrole = 5", "7"),
    (SET_CLOCK + "steps = [\n    # a comment ]\n!    { get = 1 },\n]", "get"),
    (SET_CLOCK + 'steps = [\n{ set = "0-0:1.0.0.255 2", value = "argument" },\n!5]', "1"),
    ('[[instructions.set_clock.steps]]\nset = "0-0:1.0.0.255 2"\nvalue = "argument"\n'
     "[[instructions.set_clock.steps]]\n!get = 5", "get"),
    (S1SP + 'assumed = """\n[identity]\n\\"""policy = 7\n"""\n!policy = 4', "policy"),
    (S1SP + "assumed = '''\nx = 1\''\n'''\n!policy = 4", "policy"),
    ('[associations]\n!"s1sp" . \'policy\' = 4', "policy"),
    # Of what is missing, the table it is missing in.
    ('![associations.new]\nmechanism = "NONE"', "context"),
]  # fmt: skip


@pytest.mark.parametrize(("extra", "key"), LINES)
def test_the_line_is_that_of_the_value(extra: str, key: str) -> None:
    text = BASE + extra
    line = text[: text.index("!")].count("\n") + 1
    with pytest.raises(ProfileError) as caught:
        load_text(text.replace("!", ""), "mine.toml")
    assert str(caught.value).startswith(f"mine.toml:{line}: ")
    assert not key or caught.value.place.path[-1] == key


def line_of(file: str, start: str) -> int:
    """The first line of a file of the package that starts so."""
    text = (resources.files("devices") / "profiles" / file).read_text("utf-8")
    return next(n for n, row in enumerate(text.split("\n"), 1) if row.startswith(start))


def test_a_line_of_a_file_that_is_extended() -> None:
    """The Security setup is the common one; that nobody uses it is the child's doing."""
    with pytest.raises(ProfileError) as caught:
        load_text(BASE + "[associations.dco]\nsecurity_setup = 7", "mine.toml")
    line = line_of("common_base.toml", '[objects."0-0:43.0.2.255"]')
    assert str(caught.value) == (
        f"common_base.toml:{line}: objects.0-0:43.0.2.255: no association has security_setup 2"
        " (read for mine.toml)"
    )


def test_a_row_that_was_replaced_has_the_line_of_the_new_one() -> None:
    """The former steps had a value on a line of their own in the common file."""
    extra = "\n\n" + SET_CLOCK + 'steps = [{ set = "0-0:1.0.0.255 2" }]'
    with pytest.raises(
        ProfileError, match=r"^mine\.toml:6: instructions\.set_clock\.steps\.0\.value"
    ):
        load_text(BASE + extra, "mine.toml")


def test_all_that_is_wrong_is_said() -> None:
    text = (
        BASE
        + IDENTITY
        + 'category = { value = 3, assumed = "x" }\nmax_credit = { value = -1, assumed = "x" }\n'
        + S1SP
        + "polcy = 1\n"
        + PUBLIC
        + "client_sap = 0\n"
        + CLOCK
        + 'rights.nobody = "r"\n'
        + SERIAL
        + "class = 5\n"
    )
    with pytest.raises(ProfileError) as caught:
        load_text(text, "mine.toml")
    lines = str(caught.value).split("\n")
    assert [line.split(": ")[:2] for line in lines] == [
        ["mine.toml:4", "identity.category"],
        ["mine.toml:5", "identity.max_credit"],
        ["mine.toml:7", "associations.s1sp.polcy"],
        ["mine.toml:9", "associations.public.client_sap"],
        ["mine.toml:11", "objects.0-0:1.0.0.255.rights.nobody"],
        ["mine.toml:13", "objects.0-0:96.1.0.255.class"],
    ]
    assert len(caught.value.others) == 5


def test_rows_that_do_not_go_together_are_all_said() -> None:
    with pytest.raises(ProfileError) as caught:
        load_text(
            BASE
            + IDENTITY
            + 'ldn = { value = "{", assumed = "x" }\n'
            + SERIAL
            + 'role = "x"\n'
            + CLOCK
            + 'role = "y"',
            "mine.toml",
        )
    assert [one.place.path[-2] for one in (caught.value, *caught.value.others)] == [
        "identity", "0-0:96.1.0.255", "0-0:1.0.0.255",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("extra", "meant"),
    [
        (S1SP + "polcy = 1", "policy"),
        ("objets = {}", "objects"),
        (IDENTITY + 'catgory = { value = 1, assumed = "x" }', "category"),
        (S1SP + 'context = "LN_CIPHERD"', "LN_CIPHERED"),
        (S1SP + 'conformance = ["GETS"]', "GET"),
        (S1SP + "knobs.iner_counter = 1", "inner_counter"),
        (NEW + 'class = "Klock"\nassumed = "x"', "Clock"),
        (NEW + 'class = "Data"\nrole = "voltge"\nassumed = "x"', "voltage"),
        (CLOCK + 'rights.publik = "r"', "public"),
        (SET_CLOCK + 'association = "dc"', "dco"),
    ],
)
def test_what_may_have_been_meant(extra: str, meant: str) -> None:
    with pytest.raises(ProfileError, match=re.escape(f"(did you mean {meant!r}?)")):
        load_text(BASE + extra, "mine.toml")


def test_nothing_is_suggested_for_what_is_like_nothing() -> None:
    with pytest.raises(ProfileError) as caught:
        load_text(BASE + "zzz = 1", "mine.toml")
    assert "did you mean" not in str(caught.value)


def test_a_long_value_is_cut() -> None:
    with pytest.raises(ProfileError) as caught:
        load_text(BASE + f"name2 = 1\nidentity = '{'x' * 10_000}'", "mine.toml")
    assert len(str(caught.value)) < 500


def test_the_base_of_the_errors_is_good() -> None:
    """So that each error above is about what was added."""
    assert load_text(BASE, "mine.toml").name == "mine"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("name = ", "1:8"),
        ("a = 1\na = 2", "2:6"),
        ('[x]\ny = "', "2:6"),
        ('[x\ny = "', "1:3"),
        ("\0", "1:1"),
        ('x = """\n\n', "3:1"),
    ],
)
def test_a_file_that_is_no_toml(text: str, where: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_text(text, "mine.toml")
    assert re.match(rf"mine\.toml:{where}: [^()]+$", str(caught.value))


@pytest.mark.parametrize(
    ("text", "problem"),
    [("x = " + "[" * 5000, "nested"), ("x = " + "9" * 5000, "digits"), ("x = 2019-02-30", "1:5: ")],
)
def test_what_python_has_no_room_for(text: str, problem: str) -> None:
    with pytest.raises(ProfileError, match=problem):
        load_text(text, "mine.toml")


def test_a_profile_that_is_not_there() -> None:
    with pytest.raises(ProfileError, match=r"^nosuch\.toml: no such profile; there are: aclara, "):
        load("nosuch")
    with pytest.raises(
        ProfileError, match=r"^mine\.toml:2: extends: nosuch\.toml: no such profile"
    ):
        load_text('\nextends = "nosuch"', "mine.toml")
    with pytest.raises(ProfileError, match=r"^mine\.toml:1: extends: "):
        load_text("extends = 5", "mine.toml")
    for name in ("../profiles/secure", "/etc/passwd", "", "..", "secure.toml"):
        with pytest.raises(ProfileError, match="no such profile"):
            load(name)


def test_a_circle_of_files_is_refused() -> None:
    texts = {name: Written(f'extends = "{other}"', name) for name, other in ("ab", "bc", "cb")}
    with pytest.raises(ProfileError, match=r"^c:1: extends: extends itself, by way of a, b, c$"):
        read("a", lambda name, folder: texts[name])


def test_a_row_of_files_has_an_end() -> None:
    def find(name: str, folder: str) -> Written:
        return Written(f'extends = "{int(name) + 1}"', name)

    with pytest.raises(ProfileError, match="extends itself"):
        read("0", find)


def test_what_is_extended_is_looked_for_in_the_folder_of_the_file() -> None:
    asked = []

    def find(name: str, folder: str) -> Written:
        asked.append((name, folder))
        return Written('extends = "up"' if name == "x" else "a = 1", name, f"folder of {name}")

    assert read("x", find).table == {"extends": "up", "a": 1}
    assert asked == [("x", ""), ("up", "folder of x")]


def test_a_document_is_the_whole_profile() -> None:
    """As JSON it needs none of its files, and is the same profile."""
    document = read("landis_gyr")
    again = profile_of(Document("sandbox.json", json.loads(json.dumps(document.table)), {}))
    profile = load("landis_gyr")
    assert again.objects == profile.objects
    assert again.associations == profile.associations
    assert again.instructions == profile.instructions
    assert again.provenance == profile.provenance


@pytest.mark.parametrize("name", ["", "a b", "a/b", "_x", "x" * 65, "ü"])
def test_a_name_is_fit_for_files_and_topics(name: str) -> None:
    with pytest.raises(ProfileError, match="name: "):
        load_text(f'extends = "secure"\nname = "{name}"', "mine.toml")


def test_what_a_meter_measures() -> None:
    assert load_text(BASE, "mine.toml").kind == "electricity"
    gas = load_text(BASE + IDENTITY + 'kind = { value = "gas", source = "x" }', "mine.toml")
    assert (gas.kind, str(gas.provenance["kind"])) == ("gas", "source: x")
    with pytest.raises(
        ProfileError, match=r"identity\.kind: 'steam' is not one of electricity, gas"
    ):
        load_text(BASE + IDENTITY + 'kind = { value = "steam", source = "x" }', "mine.toml")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "name"),
        ('name = "x"', "identity"),
        ('extends = "common"\nname = "x"', "identity"),
        ("name = 5", "name"),
    ],
)
def test_a_profile_needs_its_parts(text: str, where: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_text(text, "mine.toml")
    assert re.match(rf"mine\.toml(:1)?: {where}: ", str(caught.value))


def test_the_common_part_is_no_profile_by_itself() -> None:
    with pytest.raises(ProfileError, match=r"^common\.toml: "):
        load("common")


def test_a_child_replaces_row_by_row() -> None:
    parent = load("secure")
    child = load_text(
        BASE
        + CLOCK
        + 'values.3 = { long = -60 }\nrights.reader = "2r"\nsource = "a book"\n'
        + IDENTITY
        + 'model = { value = "other", assumed = "ours" }\n',
        "mine.toml",
    )
    instance = obis.parse("0-0:1.0.0.255")
    old, new = parent.objects[instance], child.objects[instance]
    assert new.values == {**old.values, 3: new.values[3]}
    assert new.values[3].value == -60
    assert new.rights == {**old.rights, "reader": new.rights["reader"]}
    assert (old.provenance.assumed, new.provenance.assumed) == (True, False)
    assert (child.model, str(child.provenance["model"])) == ("other", "assumed: ours")
    assert child.manufacturer == parent.manufacturer
    assert child.associations == parent.associations
    del parent.objects[instance], child.objects[instance]  # loaded for this test alone
    assert child.objects == parent.objects


def test_an_object_may_be_absent() -> None:
    child = load_text(BASE + '[objects."1-0:99.1.0.255"]\nabsent = true\n', "mine.toml")
    missing = load("secure").objects.keys() - child.objects.keys()
    assert missing == {obis.parse("1-0:99.1.0.255")}
