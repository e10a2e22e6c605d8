"""Two histories that differ only in what is confidential are the same for the public, octet for
octet: lists as CSV, JSON and HTML, every command's output, errors and exit status.

How long a command takes is not looked at.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Step: TypeAlias = tuple[str, ...]

MAKERS = ("Aclara", "Itron", "Secure")
SECRET_MAKERS = (*MAKERS, "Hiddenmaker", "Otherhiddenmaker")
"""Also those of open combinations: somebody else may ask for the same in confidence."""
PUBLISH: Step = ("publish",)
_PATHS = ("developing", "testing", "failed", "not-required")


class Moment(NamedTuple):
    """A step that is the same in both histories, and what happens in confidence before it."""

    step: Step
    first: tuple[Step, ...]
    second: tuple[Step, ...]


def open_steps() -> st.SearchStrategy[Step]:
    makers = st.sampled_from(MAKERS)
    who = st.sampled_from(["Open One", "Open Two"])
    return st.one_of(
        st.just(PUBLISH),
        st.tuples(st.just("pending"), makers, who, st.just("")),
        st.tuples(st.just("request"), makers, who, st.sampled_from(["", "--confidential"])),
        st.tuples(st.just("progress"), makers, who, st.sampled_from(_PATHS)),
        st.tuples(st.just("confidential"), makers, who, st.sampled_from(["", "--lift"])),
        st.tuples(st.just("withdraw"), makers, who),
        st.tuples(st.just("eligible"), makers, st.sampled_from(["", *SECRET_MAKERS])),
        st.tuples(st.just("withdraw"), makers),
    )


def secret_steps() -> st.SearchStrategy[Step]:
    makers = st.sampled_from(SECRET_MAKERS)
    who = st.sampled_from(["Hidden One", "Hidden Two"])
    return st.one_of(
        st.tuples(st.just("pending"), makers, who, st.just("--confidential")),
        st.tuples(st.just("request"), makers, who, st.just("--confidential")),
        st.tuples(st.just("progress"), makers, who, st.sampled_from(_PATHS)),
        st.tuples(st.just("confidential"), makers, who, st.just("")),
        st.tuples(st.just("withdraw"), makers, who),
        # Publishing what is out already, because of something that is not for the public.
        st.just(PUBLISH),
    )


def moments() -> st.SearchStrategy[list[Moment]]:
    secrets = st.lists(secret_steps(), max_size=3).map(tuple)
    return st.lists(st.builds(Moment, open_steps(), secrets, secrets), min_size=1, max_size=10)


def expanded(step: Step) -> tuple[Step, Step]:
    """Asked for, and tested."""
    _, maker, who, flag = step
    return ("request", maker, who, flag), ("progress", maker, who, "testing")


class History:
    """One of the histories, at a desk."""

    def __init__(self, desk: Any, numbers: dict[str, str]) -> None:
        self.desk = desk
        self._numbers = numbers
        self._changed = True
        self.seen: list[object] = []

    def secret(self, step: Step, day: date) -> None:
        if step[0] == "pending":
            for one in expanded(step):
                self.secret(one, day)
            return
        if step == PUBLISH:
            if not self._changed:
                before = self.desk.files()
                self.desk.run(*self._arguments(step, day))
                assert self.desk.files() == before
            return
        self.desk.run(*self._arguments(step, day))

    def open(self, step: Step, day: date) -> None:
        if step[0] == "pending":
            for one in expanded(step):
                self.open(one, day)
            return
        arguments = self._arguments(step, day)
        self.seen.append((arguments, self.desk.run(*arguments)))
        self._changed = step != PUBLISH
        if step == PUBLISH:
            self.seen.append(self.desk.files())
            for look in (("list",), ("history", "--json")):
                self.seen.append((look, self.desk.run(*look)))

    def end(self, day: date) -> None:
        """All the ways to look at what is public."""
        self.open(PUBLISH, day)
        self.seen += self._looks(day)

    def _looks(self, day: date) -> Iterator[object]:
        shown = [("show", number) for number in self._numbers.values()]
        searches = [("list", "--find", maker) for maker in SECRET_MAKERS]
        dated = ("list", "--as-of", str(day - timedelta(days=3)))
        again = ("publish", "--out", str(self.desk.lists), "--as-of", str(day))
        for look in (("history",), dated, again, *shown, *searches):
            yield look, self.desk.run(*look)
        for look in (("list",), *shown):
            yield look, self.desk.run(*look, "--json")
        yield self.desk.files()

    def _arguments(self, step: Step, day: date) -> tuple[str, ...]:
        verb, *rest = step
        on = ("--on", str(day))
        if verb == "publish":
            return (verb, "--out", str(self.desk.lists), *on)
        maker, *more = rest
        number, described = self._numbers[maker], self.desk.described(maker)
        if verb == "request":
            who, *flags = more
            return (verb, "--participant", who, *described, *filter(None, flags), *on)
        if verb == "eligible":
            through = ("--through", self._numbers[more[0]]) if more[0] else ()
            return (verb, *described, *through, *on)
        if not more:
            return (verb, number, *on)
        who, *words = more
        return (verb, number, *filter(None, words), "--participant", who, *on)


Fresh: TypeAlias = Callable[[], AbstractContextManager[Path]]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """An empty folder, of the same name each time: names are in outputs."""
    folder = tmp_path_factory.mktemp("histories") / "one"

    @contextmanager
    def make() -> Iterator[Path]:
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    return make


@pytest.fixture(scope="module")
def numbers(
    make_desk: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    desk = make_desk(tmp_path_factory.mktemp("numbers"))
    return {maker: desk.request(maker) for maker in SECRET_MAKERS}


def seen(desk: Any, numbers: dict[str, str], moments: list[Moment], which: str) -> list[object]:
    """What the public sees of one history, the ``first`` or the ``second``."""
    history = History(desk, numbers)
    first_day = date(2019, 3, 1)
    for number, moment in enumerate(moments):
        day = first_day + timedelta(days=number)
        for step in getattr(moment, which):
            history.secret(step, day)
        history.open(moment.step, day)
    history.end(first_day + timedelta(days=len(moments)))
    return history.seen


@given(moments=moments())
@settings(max_examples=15)
def test_what_is_confidential_changes_nothing_that_is_public(
    moments: list[Moment], numbers: dict[str, str], make_desk: Callable[[Path], Any], fresh: Fresh
) -> None:
    views = []
    for which in ("first", "second"):
        with fresh() as folder:
            views.append(seen(make_desk(folder), numbers, moments, which))
    for one, other in zip(*views, strict=True):
        assert one == other


IN_CONFIDENCE: tuple[Step, ...] = (
    ("pending", "Itron", "Hidden One", "--confidential"),
    ("progress", "Itron", "Hidden One", "developing"),
)
ASKED: tuple[Step, ...] = (("pending", "Itron", "Hidden One", ""),)
BECOMES_PUBLIC = [
    # What came before it is lifted, is made eligible, or is indicated late, shows no more than
    # what has nothing before it.
    ((*IN_CONFIDENCE, ("confidential", "Itron", "Hidden One", "--lift")), ASKED),
    ((*IN_CONFIDENCE, ("eligible", "Itron", "")), (("eligible", "Itron", ""),)),
    (
        (*ASKED, ("confidential", "Itron", "Hidden One", "")),
        (*ASKED, ("withdraw", "Itron", "Hidden One")),
    ),
]


@pytest.mark.parametrize(("one", "other"), BECOMES_PUBLIC, ids=["lifted", "eligible", "indicated"])
@pytest.mark.parametrize("published_between", [False, True])
def test_what_becomes_public_brings_nothing_of_before(
    one: tuple[Step, ...],
    other: tuple[Step, ...],
    published_between: bool,
    numbers: dict[str, str],
    make_desk: Callable[[Path], Any],
    fresh: Fresh,
) -> None:
    """The last step may be public. Where lists are published before it, too, what comes before is
    confidential, or the same in both histories.
    """
    views = []
    for steps in (one, other):
        *before, last = steps
        moments = [Moment(PUBLISH, (*before,), ())] if published_between else []
        ahead = () if published_between else (*before,)
        moments.append(Moment(PUBLISH, (*ahead, last), ()))
        with fresh() as folder:
            views.append(seen(make_desk(folder), numbers, moments, "first"))
    assert views[0] == views[1]


def test_what_is_seen_names_nobody_who_is_hidden(
    numbers: dict[str, str], make_desk: Callable[[Path], Any], fresh: Fresh
) -> None:
    """And the DCC does see it, marked: the histories are not the same for want of any secret."""
    secrets: tuple[Step, ...] = (
        ("request", "Hiddenmaker", "Hidden One", "--confidential"),
        ("progress", "Hiddenmaker", "Hidden One", "testing"),
        ("request", "Aclara", "Hidden Two", "--confidential"),
        ("progress", "Aclara", "Hidden Two", "developing"),
    )
    moments = [Moment(("request", "Itron", "Open One", ""), secrets, ()), Moment(PUBLISH, (), ())]
    with fresh() as folder:
        desk = make_desk(folder)
        found = seen(desk, numbers, moments, "first")
        own = desk.done("list", "--internal")
    for line in found:
        if isinstance(line, dict):
            text = b"".join(line.values()).decode()
        else:
            arguments, outcome = line  # type: ignore[misc]
            said = " ".join(arguments)
            text = f"{outcome.out} {outcome.err}".replace(said, "")
        assert "hidden" not in text.lower()
    assert own.count("withheld") == 2
    assert own.count("CONFIDENTIAL") == 2
    assert "Hidden One" in own
    assert "Hiddenmaker" in own
