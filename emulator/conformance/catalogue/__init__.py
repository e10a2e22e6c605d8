"""The catalogue of checks: what there is, as data, and how it is read and described."""
