"""What was found: octets, and how the harness that had them ended."""

from __future__ import annotations

import hashlib
import json
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from emulator.fuzz.octets.harness import Harness, Unlawful

FORMAT, VERSION = "cosemlab-octets", 1
ROOT = Path(__file__).parents[3]
OURS = ("dlms", "devices", "tls", "emulator")
_HERE = "emulator/fuzz/octets/"
_PLAYERS = tuple(
    f"{_HERE}{name}.py" for name in ("crash", "engine", "merging", "replaying", "work")
)
MAX_FRAMES = 12
MAX_WORDS = 300


class CrashFileError(ValueError):
    """A file that is no crash of a harness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """``kind`` is the exception's, ``place`` where it was raised, innermost in our own code: two
    crashes with the same of both are one. ``frames`` are the way to it.
    """

    harness: str
    octets: bytes
    kind: str
    place: str
    words: str = ""
    frames: tuple[str, ...] = ()
    decoded: str = ""

    @property
    def mark(self) -> tuple[str, str, str]:
        return self.harness, self.kind, self.place

    @property
    def file_name(self) -> str:
        digest = hashlib.sha256("\0".join(self.mark).encode()).hexdigest()[:10]
        return f"{self.harness}-{self.kind}-{digest}.json"

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": VERSION,
            "harness": self.harness,
            "kind": self.kind,
            "place": self.place,
            "words": self.words,
            "frames": list(self.frames),
            "decoded": self.decoded,
            "hex": self.octets.hex().upper(),
            "replay": f"cosemlab fuzz octets {self.harness} --replay {self.file_name}",
        }

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.file_name
        path.write_text(json.dumps(self.as_json(), indent=1) + "\n", "utf-8")
        return path


def read(path: Path) -> Crash:
    """The crash of a file. :class:`CrashFileError` if it is none."""
    try:
        found = json.loads(path.read_bytes())
        if found["format"] != FORMAT or found["version"] != VERSION:
            raise CrashFileError(f"{path}: {FORMAT} {VERSION} is needed")
        return Crash(
            harness=found["harness"],
            octets=bytes.fromhex(found["hex"]),
            kind=found["kind"],
            place=found["place"],
            words=found["words"],
            frames=tuple(found["frames"]),
            decoded=found["decoded"],
        )
    except OSError as error:
        raise CrashFileError(f"{path}: cannot be read: {error.strerror}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise CrashFileError(f"{path}: no crash of a harness: {error!r}") from None


def of_error(harness: Harness, octets: bytes, error: BaseException) -> Crash:
    """What an exception that left a harness is."""
    frames = _frames(error.__traceback__)
    ours = [one for one in frames if not one.startswith(_HERE)] or frames
    is_law = isinstance(error, Unlawful)
    cause = error.__cause__
    if is_law and cause is not None:
        frames += _frames(cause.__traceback__)
    return Crash(
        harness=harness.name,
        octets=octets,
        kind="law" if is_law else type(error).__name__,
        place=error.law if isinstance(error, Unlawful) else (ours[-1] if ours else "nowhere"),
        words=str(error)[:MAX_WORDS],
        frames=tuple(frames[-MAX_FRAMES:]),
        decoded=_decoded(harness, octets),
    )


def found(harness: Harness, octets: bytes) -> Crash | None:
    """Play ``octets``: the crash, if there is one."""
    try:
        harness.play(octets)
    except Exception as error:  # whatever it is: that is what is looked for
        return of_error(harness, octets, error)
    return None


def _frames(trace: TracebackType | None) -> list[str]:
    """Files and functions on the way to an exception, of what is fuzzed; lines would change too
    soon, and who has played it does not matter.
    """
    found = []
    for frame, _ in traceback.walk_tb(trace):
        path = Path(frame.f_code.co_filename)
        inside = path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in OURS
        name = path.relative_to(ROOT).as_posix() if inside else path.name
        is_other = not inside and path.is_relative_to(sys.base_prefix)
        if name not in _PLAYERS and not is_other and "site-packages" not in path.parts:
            found.append(f"{name} {frame.f_code.co_name}")
    return found


def _decoded(harness: Harness, octets: bytes) -> str:
    """What the octets are, as far as the harness's own reader goes."""
    if harness.is_text:
        return octets.decode("utf-8", "backslashreplace")[:2000]
    if harness.structure is None:
        return ""
    try:
        return repr(harness.structure.read(octets))[:2000]
    except Exception as error:
        return f"not to the end: {error}"
