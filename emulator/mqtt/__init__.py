"""A sandbox on an MQTT 5 broker: what happens is published, and it can be asked to do things."""
