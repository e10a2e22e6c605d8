"""Enrolment: a meter moves from its supplier's own system to the DCC's (letter, paragraphs 2, 3).

- :mod:`emulator.enrolment.steps`         the steps and states, and the point of no return
- :mod:`emulator.enrolment.authorisation` who asks for what meter to be migrated
- :mod:`emulator.enrolment.agreed`        which keys change hands
- :mod:`emulator.enrolment.key_file`      the file they come in
- :mod:`emulator.enrolment.case`          one meter and all that its steps work with
- :mod:`emulator.enrolment.taking`        hand-over, and validation of what came
- :mod:`emulator.enrolment.verifying`     the meter is the one that the papers say
- :mod:`emulator.enrolment.rotating`      every key is replaced
- :mod:`emulator.enrolment.registering`   S1SP and DCO are the clients, and nobody else is
- :mod:`emulator.enrolment.commissioning` the supplier's access has ended; the meter is commissioned
- :mod:`emulator.enrolment.engine`        one step after the other, retries, the way back
- :mod:`emulator.enrolment.store`         what is known of each enrolment, in a database
- :mod:`emulator.enrolment.eligibility`   whether a model is on the Eligible list
- :mod:`emulator.enrolment.inventory`     the Smart Metering Inventory
- :mod:`emulator.enrolment.access`        who may send Service Requests to a device that is in it

Names and order of the phases are those of DCC's process flow; what exactly is done in each is not
public and is ours.
"""
