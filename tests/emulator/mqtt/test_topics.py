"""The topic tree and its documents: table, schemas and AsyncAPI file say the same."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from emulator.mqtt.asyncapi import document
from emulator.mqtt.topics import CHANNELS, REPLY_SCHEMA, Tree, schema, schema_names

DOCS = Path(__file__).parents[3] / "docs"
TREE = Tree("base/of/all", "lab")


def test_topics_of_a_sandbox() -> None:
    assert TREE.topic("status") == "base/of/all/lab/status"
    assert TREE.topic("alerts", meter="itron") == "base/of/all/lab/meters/itron/alerts"
    assert TREE.topic("control", action="+") == "base/of/all/lab/control/+"
    assert TREE.action("base/of/all/lab/control/fault.set") == "fault.set"
    assert TREE.action("base/of/all/lab/status") is None


@pytest.mark.parametrize(
    ("topic", "is_ours"),
    [
        ("base/of/all/lab", True),
        ("base/of/all/lab/x", True),
        ("base/of/all/laboratory", False),
        ("base/of/all", False),
    ],
)
def test_what_is_the_sandbox_s_own(topic: str, is_ours: bool) -> None:
    assert TREE.holds(topic) is is_ours


def test_every_schema_is_one_and_takes_no_more_than_it_says() -> None:
    for name in schema_names():
        found = schema(name)
        jsonschema.Draft7Validator.check_schema(found)
        assert found["additionalProperties"] is False
        assert found["description"].endswith(".")
        assert found["title"]


def test_every_schema_file_is_in_the_table() -> None:
    folder = resources.files("emulator.mqtt") / "schemas"
    files = {file.name for file in folder.iterdir()}
    assert files == {f"{name.replace('/', '.')}.json" for name in schema_names()}


def test_the_asyncapi_file_is_up_to_date() -> None:
    """``make docs`` writes it."""
    assert json.loads((DOCS / "asyncapi.json").read_text(encoding="utf-8")) == document()


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [one for part in value.values() for one in _references(part)]
    if isinstance(value, list):
        return [one for part in value for one in _references(part)]
    return []


def _at(root: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        root = root[part]
    return root


def test_the_asyncapi_document_is_whole() -> None:
    """AsyncAPI 3.0.0: what is required is there, and every reference leads somewhere."""
    made = document()
    assert made["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(made["info"])
    assert _references(made)
    for reference in _references(made):
        assert reference.startswith("#/")
        assert _at(made, reference)
    for channel in made["channels"].values():
        address = channel["address"]
        wanted = set() if address is None else set(address.split("{")[1:])
        assert {name.split("}")[0] for name in wanted} == set(channel.get("parameters", {}))
    for operation in made["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert operation["channel"]["$ref"].startswith("#/channels/")
    for server in made["servers"].values():
        assert {"host", "protocol"} <= set(server)


def test_the_asyncapi_document_says_what_the_table_says() -> None:
    made = document()
    assert set(made["channels"]) == {*CHANNELS, "reply"}
    for name, channel in CHANNELS.items():
        operation = made["operations"][name]
        assert operation["action"] == ("receive" if channel.asked else "send")
        assert operation["bindings"]["mqtt"]["retain"] is channel.retained
        (message,) = made["channels"][name]["messages"].values()
        payload = _at(made, _at(made, message["$ref"])["payload"]["$ref"])
        assert payload == {k: v for k, v in schema(channel.schema).items() if k != "$schema"}
    (reply,) = made["channels"]["reply"]["messages"].values()
    assert _at(made, reply["$ref"])["name"] == REPLY_SCHEMA


@pytest.mark.parametrize(
    "payload",
    [
        {"action": "clock"},
        {"action": "clock", "result": {}, "error": {"code": "x", "text": "y"}},
        {"action": "clock", "error": {"code": "x"}},
    ],
)
def test_a_reply_is_a_result_or_an_error(payload: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(payload, schema("reply/1"))
