"""The topic tree as an AsyncAPI 3 document, made from the table and the schemas."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from emulator.mqtt.options import BASE, NAME, PORT, TLS_PORT
from emulator.mqtt.topics import CHANNELS, REPLY_EXPIRY, REPLY_SCHEMA, Channel, schema, schema_names

_PARAMETERS = {
    "base": {"description": "Option --mqtt-base; it may have several levels.", "default": BASE},
    "sandbox": {"description": "Option --mqtt-name.", "default": NAME},
    "meter": {"description": "Name of the meter's profile."},
    "action": {"description": "Name of the action, as the topic 'actions' lists them."},
}

_REPLY = "reply"


def document() -> dict[str, Any]:
    """AsyncAPI 3.0.0: a channel and an operation for each row, a message for each schema."""
    channels: dict[str, Any] = {
        name: {
            "address": "{base}/" + channel.address,
            "description": channel.summary,
            "messages": {_id(channel.schema): _ref("messages", _id(channel.schema))},
            "parameters": {
                name: value
                for name, value in _PARAMETERS.items()
                if "{" + name + "}" in "{base}/" + channel.address
            },
        }
        for name, channel in CHANNELS.items()
    }
    channels[_REPLY] = {
        "address": None,
        "description": "The response topic of a request, with its correlation data."
        f" The reply expires after {REPLY_EXPIRY} s.",
        "messages": {_id(REPLY_SCHEMA): _ref("messages", _id(REPLY_SCHEMA))},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "cosemlab: a sandbox of DLMS/COSEM meters on MQTT 5",
            "version": version("cosemlab"),
            "description": "Everything is sent at QoS 1, in UTF-8 JSON. What comes twice has the"
            " same user property 'message'. No key and no password is ever in it.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "plain": _server(PORT, "mqtt", "On loopback unless told otherwise."),
            "tls": _server(TLS_PORT, "secure-mqtt", "TLS 1.2 or newer (--mqtt-tls)."),
        },
        "channels": channels,
        "operations": {name: _operation(name, channel) for name, channel in CHANNELS.items()},
        "components": {
            "messages": {_id(name): _message(name) for name in schema_names()},
            "schemas": {_id(name): _embedded(name) for name in schema_names()},
        },
    }


def _server(port: int, protocol: str, text: str) -> dict[str, Any]:
    return {
        "host": f"127.0.0.1:{port}",
        "protocol": protocol,
        "protocolVersion": "5.0",
        "description": text,
    }


def _operation(name: str, channel: Channel) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": "receive" if channel.asked else "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": channel.summary,
        "bindings": {"mqtt": _binding(channel)},
    }
    if channel.asked:
        operation["reply"] = {
            "address": {
                "description": "Response topic (MQTT 5, 3.3.2.3.5).",
                "location": "$message.header#/responseTopic",
            },
            "channel": {"$ref": f"#/channels/{_REPLY}"},
        }
    return operation


def _binding(channel: Channel) -> dict[str, Any]:
    binding: dict[str, Any] = {"qos": 1, "retain": channel.retained, "bindingVersion": "0.2.0"}
    if channel.expiry:
        binding["messageExpiryInterval"] = channel.expiry
    return binding


def _message(name: str) -> dict[str, Any]:
    found = schema(name)
    return {
        "name": name,
        "title": found["title"],
        "summary": found["description"],
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "description": "MQTT 5 properties and user properties.",
            "properties": _headers(name),
        },
        "payload": _ref("schemas", _id(name)),
    }


def _headers(name: str) -> dict[str, Any]:
    if name == CHANNELS["control"].schema:
        return {
            "responseTopic": {"type": "string", "description": "Where the reply goes."},
            "correlationData": {"type": "string", "description": "Comes back in the reply."},
        }
    return {
        "schema": {"const": name},
        "message": {"type": "string", "description": "The same, if it is sent again."},
    }


def _embedded(name: str) -> dict[str, Any]:
    return {key: value for key, value in schema(name).items() if key != "$schema"}


def _id(name: str) -> str:
    return name.replace("/", "-")


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
