"""Manufacturer profiles: data files, read and checked once, shared by all meters of a model."""

from devices.profile.load import Document, load, load_text, profile_of, read
from devices.profile.model import Profile
from devices.profile.place import ProfileError
from devices.profile.sources import available, every, gas

__all__ = [
    "Document", "Profile", "ProfileError", "available", "every", "gas", "load", "load_text",
    "profile_of", "read",
]  # fmt: skip
