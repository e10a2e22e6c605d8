"""The xDLMS APDUs: association context, services, errors."""
