"""Parts of a meter as they are where somebody has made a mistake: classes that are put over those
of one meter (:mod:`emulator.serving.makes`), and methods in the place of those of its objects.

They are the meter's own steps in another order, or with one missing: no answers in its place.
"""
