"""Rows of ``[associations]``: that which was opened, and those that have objects besides."""

from __future__ import annotations

from typing import Any

from dlms.acse.names import ApplicationContext, Mechanism
from dlms.cosem import obis
from dlms.security.suites import SUITES
from dlms.xdlms.conformance import Conformance
from emulator.conformance.declaration.drafting.findings import Finding
from emulator.conformance.declaration.drafting.given import Given
from emulator.conformance.declaration.drafting.partners import Seen, Setup, is_no_setup
from emulator.conformance.declaration.model import DeclaredAssociation

OPENED = "as it was opened"
AGREED = "as the AARE agreed to"
_KEYS = "fill in: the name of its entry in the key file"


class Row:
    """An association in the making: ``values`` and ``remarks`` by key, ``remark`` of the whole."""

    def __init__(self, name: str, remark: str) -> None:
        self.name = name
        self.remark = remark
        self.values: dict[str, Any] = {}
        self.remarks: dict[str, str] = {}

    def say(self, key: str, value: object, remark: str) -> None:
        self.values[key] = value
        self.remarks[key] = remark

    def find(self, key: str, finding: Finding[Any]) -> bool:
        """Take a finding over; whether there was a value."""
        self.remarks[key] = finding.remark
        if finding.value is not None:
            self.values[key] = finding.value
        return finding.value is not None

    def make(self) -> DeclaredAssociation:
        return DeclaredAssociation(name=self.name, **self.values)


def opened(given: Given, conformance: Conformance, max_pdu_size: int) -> Row:
    """What is sure of the association that was opened."""
    row = Row(given.association, "the association that was opened for this draft")
    row.say("client_sap", given.client_sap, OPENED)
    row.say("server_sap", given.server_sap, OPENED)
    row.say("context", given.context, OPENED)
    row.say("mechanism", given.mechanism, OPENED)
    row.say("conformance", Conformance(conformance & sum(Conformance)), AGREED)
    row.say("max_pdu_size", max_pdu_size, AGREED)
    if given.suite:
        row.say("suite", given.suite, OPENED)
    if given.context.ciphered:
        row.say("policy", given.protection, f"{OPENED}; fill in: what its requests must have")
        row.say("dedicated", given.dedicated, OPENED)
    if given.keys:
        row.say("keys", given.keys, OPENED)
    elif given.mechanism is not Mechanism.NONE or given.context.ciphered:
        row.remarks["keys"] = _KEYS
    for key in ("own_title", "counter_from"):
        if getattr(given, key):
            row.say(key, getattr(given, key), OPENED)
    if given.user is not None:
        row.say("users", (given.user,), OPENED)
    return row


def confirm(row: Row, seen: Seen, instance: bytes) -> None:
    """What the Association object says of the association that was opened. Where it says something
    else, that is noted: one of the two is wrong.
    """
    row.remark += f"; {_of(seen, instance)}"
    if seen.partners.value is not None:
        ours = row.values["client_sap"], row.values["server_sap"]
        said = tuple(seen.partners.value)
        if said != ours:
            row.remark += f"\nfill in: {seen.partners.where} says SAPs {said[0]} and {said[1]}"
    if seen.info.value is not None:
        row.say("conformance", seen.info.value.conformance, seen.info.remark)
        row.say("max_pdu_size", seen.info.value.max_receive, seen.info.remark)
    for key, finding in (("context", seen.context), ("mechanism", seen.mechanism)):
        said_so = finding.value
        if said_so is None:
            continue
        if said_so is row.values[key]:
            row.remarks[key] = f"{OPENED}, and {finding.remark}"
        else:
            row.remarks[key] = f"{OPENED}; fill in: {finding.where} says {said_so.name}"
    if seen.users.value:
        row.say("users", seen.users.value, seen.users.remark)


def besides(seen: Seen, instance: bytes) -> tuple[Row, str]:
    """A row of an association that was not opened, and what it lacks to be one, if anything."""
    partners, info = seen.partners, seen.info
    where = obis.text(instance)
    lacks = [
        f"fill in: {what}, which could not be read from {one.where} ({one.why})"
        for what, one in (
            ("the SAPs", partners),
            ("the context", seen.context),
            ("the mechanism", seen.mechanism),
            ("the services", info),
        )
        if one.value is None
    ]
    if lacks:
        return Row("", ""), "\n".join((f"{where} is an association besides:", *lacks))
    assert partners.value is not None  # or something were lacking
    assert info.value is not None
    client, server = partners.value
    row = Row(f"client{client}_server{server}", f"not opened; {_of(seen, instance)}")
    row.say("client_sap", client, partners.remark)
    row.say("server_sap", server, partners.remark)
    row.find("context", seen.context)
    row.find("mechanism", seen.mechanism)
    row.say("conformance", info.value.conformance, info.remark)
    row.say("max_pdu_size", info.value.max_receive, info.remark)
    if seen.mechanism.value is not Mechanism.NONE or _ciphered(row):
        row.remarks["keys"] = _KEYS
    if seen.users.value:
        row.say("users", seen.users.value, seen.users.remark)
    return row, ""


def secure(row: Row, reference: Finding[bytes], setup: Setup | None, counter: bytes) -> None:
    """What the Security setup of an association says, if there is one and it can be seen."""
    if reference.value is not None and is_no_setup(reference.value):
        return
    if not row.find("security_setup", reference):
        if not _ciphered(row):
            del row.remarks["security_setup"]  # it needs none
        return
    if setup is None:
        if _ciphered(row):
            row.remarks["policy"] = (
                f"{row.remarks.get('policy', '')}; fill in: the Security setup is not in the list"
            ).lstrip("; ")
        return
    if _ciphered(row):
        if setup.policy.value is not None or "policy" not in row.values:
            row.find("policy", setup.policy)
        if "own_title" not in row.values:
            row.find("own_title", setup.client_title)
            if setup.client_title.value is None:
                row.remarks["own_title"] = (
                    f"fill in: the tester's system title, which {setup.client_title.where}"
                    " does not name"
                )
    if "suite" not in row.values:
        row.find("suite", setup.suite)
    if counter and "counter_from" not in row.values:
        row.say("counter_from", counter, "beside its Security setup in the object list")


def fault(row: Row) -> str:
    """Why a row would be no association; empty if it is one."""
    suite = row.values.get("suite", 0)
    if row.values["mechanism"] is Mechanism.HLS_ECDSA and SUITES[suite].curve is None:
        return f"fill in: suite {suite} has no key pairs, and the mechanism is HLS_ECDSA"
    return ""


def _ciphered(row: Row) -> bool:
    context: ApplicationContext = row.values["context"]
    return context.ciphered


def _of(seen: Seen, instance: bytes) -> str:
    status = f", now {seen.status.value}" if seen.status.value else ""
    return f"its object is {obis.text(instance)}{status}"
