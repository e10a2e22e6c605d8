"""The interface classes as the Blue Book tabulates them, a file for each group of its clause 4.

Where the rows come from (Blue Book Ed. 12 to 16; no copy of the book was at hand):

* Attributes, types and structures of 1, 3 to 11, 15, 17, 18, 20 to 23, 40 to 42, 64, 70, 71, 111 to
  113, 115, 116, 124 and 9000 are those of notes made from the book.
* Public class tables confirm or add numbers, types, static or dynamic, and the encoding of
  structures: of 50 to 59, 67, 68, 73, 80 to 86, 101, 104, 105, 116, 122 to 124, 151 as one of them
  prints them, of 25 to 29, 43 to 48, 65 version 0, 72, 74, 76, 77, 85, 100 and 151 as another
  encodes them. ``tests/dlms/cosem/test_against_gurux.py`` compares class by class and gives the
  reason of every difference.
* From general knowledge only, so to be checked before anything is built on a detail: 12 (versions 3
  and 4, rights of 1 to 2), 15 version 0, 19, 23 version 0, 24, 26 to 28 (older versions), 30
  (structures of its methods), 46, 61 and 63 (inner structures), 62 version 1, 102, 103, shapes
  inside 51, 53, 55, 104 and 116, the parameters of the methods of 67, 68, 100 and 104, and what
  methods return.

Not tabulated: older versions of 5, 29 (0), 28 (1), 50, 55, 73; later ones of 72 (2); G3-PLC (90 to
92, 160 to 162), Wi-SUN (95 to 98), LPWAN (126 to 129), ISO/IEC 14908 (130 to 133), HS-PLC (140 to
143), CoAP (152, 153).
"""
