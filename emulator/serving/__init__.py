"""Meters on the network: one connection, datagram peer or line at a time."""
