"""Manufacturer profiles: data files, read and checked once, shared by all meters of a model."""

from devices.profile.load import ProfileError, available, every, load, load_text
from devices.profile.model import Profile

__all__ = ["Profile", "ProfileError", "available", "every", "load", "load_text"]
