"""ACSE: the APDUs that open and release an Application Association (GB Ed. 8, 9.4.2; BER)."""
