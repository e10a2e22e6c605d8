"""Targets that are reached over a network: our own meter at real sockets, and any other."""
