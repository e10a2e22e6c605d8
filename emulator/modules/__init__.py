"""Cryptographic Modules: where operations are really carried out."""
