"""What senders leave for those after them: by the note, and not by its name."""

from __future__ import annotations

import pytest

from emulator.conformance.trying.notes import Note, Notes

NUMBER = Note[int]("the same name")
WORD = Note[str]("the same name")


def test_what_was_left() -> None:
    notes = Notes()
    assert notes.keep(NUMBER, 7) == 7
    assert (notes.kept(NUMBER), notes.found(NUMBER), notes.found(WORD)) == (7, 7, None)
    notes.keep(NUMBER, 8)
    assert notes.kept(NUMBER) == 8
    notes.drop(NUMBER)
    notes.drop(NUMBER)
    assert notes.found(NUMBER) is None


def test_one_for_each_association() -> None:
    notes = Notes()
    notes.keep(WORD, "of a", "a")
    notes.keep(WORD, "of b", "b")
    assert (notes.kept(WORD, "a"), notes.kept(WORD, "b"), notes.found(WORD)) == (
        "of a",
        "of b",
        None,
    )


def test_what_nobody_has_left() -> None:
    with pytest.raises(LookupError, match="nobody has left the same name of a"):
        Notes().kept(NUMBER, "a")


async def test_it_is_made_once() -> None:
    notes, made = Notes(), []

    async def make() -> int:
        made.append(0)
        return len(made) - 1

    assert [await notes.once(NUMBER, make) for _ in range(3)] == [0, 0, 0]
    assert await notes.once(NUMBER, make, "a") == 1


async def test_what_could_not_be_made_is_made_again() -> None:
    notes = Notes()

    async def fail() -> int:
        raise OSError("no connection")

    async def make() -> int:
        return 3

    with pytest.raises(OSError, match="no connection"):
        await notes.once(NUMBER, fail)
    assert await notes.once(NUMBER, make) == 3
