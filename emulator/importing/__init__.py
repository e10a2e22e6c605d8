"""Meters from what other tools have written down of them."""
