"""The register of product combinations: SEC F2.10A, H14.36A, letter paragraphs 13 to 15."""
