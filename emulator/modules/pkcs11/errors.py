"""What the errors of PKCS#11 mean to us."""

from __future__ import annotations

import pkcs11

REFUSALS = (
    pkcs11.AttributeSensitive,
    pkcs11.AttributeTypeInvalid,
    pkcs11.AttributeValueInvalid,
    pkcs11.DomainParamsInvalid,
    pkcs11.FunctionNotSupported,
    pkcs11.FunctionRejected,
    pkcs11.KeyIndigestible,
    pkcs11.KeyNotWrappable,
    pkcs11.KeySizeRange,
    pkcs11.KeyUnextractable,
    pkcs11.MechanismInvalid,
    pkcs11.MechanismParamInvalid,
    pkcs11.TemplateIncomplete,
    pkcs11.TemplateInconsistent,
    pkcs11.TokenWriteProtected,
)
"""A healthy token that does not do this. Any other error that nobody expects ends the session."""

BAD_TAG = (
    pkcs11.EncryptedDataInvalid,
    pkcs11.EncryptedDataLenRange,
    pkcs11.SignatureInvalid,
    pkcs11.GeneralError,  # SoftHSM, which says the same of everything else
)
BAD_WRAPPING = (
    pkcs11.WrappedKeyInvalid,
    pkcs11.WrappedKeyLenRange,
    pkcs11.GeneralError,
)
"""What tokens say of octets that do not verify, if they are healthy."""


def name_of(error: pkcs11.PKCS11Error) -> str:
    """The error for people: its name, and its text if it has one."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
