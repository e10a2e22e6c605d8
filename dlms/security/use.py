"""What an operation of cryptography is wanted for."""

from __future__ import annotations

from enum import Enum


class Use(Enum):
    """Which part of the protocol asks for the operation."""

    ASSOCIATION = "establish or release an Application Association"
    PROTECT_REQUEST = "protect a request"
    OPEN_REQUEST = "open a request"
    PROTECT_RESPONSE = "protect a response"
    OPEN_RESPONSE = "open a response"
    TRANSFER_KEY = "transfer a key"
    TOKEN = "make or check a credit token"
    AGREE_KEY = "agree a key"
    CERTIFICATE = "make, check or replace a key pair or its certificate"
    FIRMWARE = "seal or check a firmware image"
    REQUEST = "sign a Service Request or check its signature"
