"""The end of a fine-tune says what it does and how far it is, hears a stop, and leaves no process behind."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from workbench.events import Progress
from workbench.tuning import comparing, ending
from workbench.tuning.loop import Interrupted
from workbench.tuning.recipe import Recipe

SCRIPT = """
import sys, time
for number in range(1, 5):
    print("a library says something", number, "of nothing")
    print(f"{number} of 4", flush=True)
if "wait" in sys.argv[1]:
    time.sleep(600)
sys.exit(3)
"""


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in place of llama.cpp's that says how far it is."""
    (tmp_path / "child.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "child.py")]
    monkeypatch.setattr(comparing.program, "command", lambda module, *arguments: [*command, *arguments])


def test_a_process_that_counts_is_followed_to_its_end(child: None, tmp_path: Path) -> None:
    followed = comparing.follow("any", tmp_path / "go", 0.2, 1.0)
    told = []
    with pytest.raises(StopIteration) as end:
        while True:
            told.append(next(followed))
    assert end.value.value == 3
    assert [share for share, _ in told] == pytest.approx([0.4, 0.6, 0.8, 1.0])
    assert told[1][1] == "answer 2 of 4"


def test_a_process_that_is_given_up_is_ended(child: None, tmp_path: Path) -> None:
    # Known by its number: this process has children of other tests, and one that just ended has no command line.
    before = set(psutil.Process().children())
    followed = comparing.follow("any", tmp_path / "wait", 0.0, 1.0)
    next(followed)
    (begun,) = set(psutil.Process().children()) - before
    assert "wait" in " ".join(begun.cmdline())
    followed.close()
    assert not psutil.pid_exists(begun.pid)


def test_the_end_says_how_far_it_is_and_how_long_the_rest_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def look(*_: Any) -> Any:
        for share in (0.5, 1.0):
            now[0] += 3.0
            yield share
        return {"share": 0.1}

    def compare(*_: Any, **__: Any) -> Any:
        now[0] += 7.0
        yield 0.5, "asking llama.cpp"
        return {"ok": True}

    monkeypatch.setattr(ending, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(ending.effects, "look_at_general", look)
    monkeypatch.setattr(ending.adapter, "convert", lambda *_: None)
    monkeypatch.setattr(ending, "compare", compare)
    recipe, stopped = Recipe("a", tmp_path / "none.gguf", (), tmp_path), [False]

    def guard() -> None:
        if stopped[0]:
            raise Interrupted

    model: Any = SimpleNamespace()
    stage = ending.end(recipe, model, "fp32", (), None, guard)  # type: ignore[arg-type]
    told: list[Progress] = []
    with pytest.raises(StopIteration) as end:
        while True:
            told.append(next(stage))
    assert end.value.value == ending.Ended({"share": 0.1}, {"ok": True})
    shares = [each.done for each in told]
    assert shares == sorted(shares) and shares[0] == 0 and told[0].seconds_left is None
    assert told[-1].note == f"{ending.COMPARING}: asking llama.cpp"
    at = told[-1].done / 100  # rounded to whole per cents, which the seconds are not
    assert told[-1].seconds_left == pytest.approx(13 / at * (1 - at), rel=0.1)

    stage = ending.end(recipe, model, "fp32", (), None, guard)  # type: ignore[arg-type]
    next(stage)
    stopped[0] = True
    with pytest.raises(Interrupted):
        next(stage)
