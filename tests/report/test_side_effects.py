"""What a fine-tune did beside its task, on the page and in the dossier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.evaluation.made_up import make_evaluation, make_suite
from tests.report.test_page import telling, write
from workbench.report.side_effects import plain_side_effects, side_effects
from workbench.tuning.recipe import RunInfo

GENERAL = {
    "before": 3.0, "after": 3.3, "change": 0.3, "interval": [0.2, 0.4], "share": 0.1, "worse": True, "questions": 24,
    "words_before": 21.0, "words_after": 9.0, "words_interval": [-15.0, -9.0], "refused_before": 0.0,
    "refused_after": 0.25, "refused_interval": [0.05, 0.45], "same": 0.25, "another_manner": True,
    "answers": [{"question": "Why?", "before": "So.", "after": "A trained secret."}], "seconds": 9.0,
}  # fmt: skip


def run_with(**general: Any) -> RunInfo:
    effects = {"general": {**GENERAL, **general}} if general != {"none": True} else {}
    return RunInfo("house <b>", Path("/x"), "done", "Done.", 9, 9, (), (), 1.0, 9.0, "2026-11-21", effects=effects)


def test_refusals_and_length_stand_on_the_page_with_their_intervals(tmp_path: Path) -> None:
    suite = make_suite(2, 0, 0)
    page = write(tmp_path, make_evaluation(suite, telling), suite, runs=(run_with(),))
    assert "0 → 6 of 24" in page and "+25 % (+5 to +45)" in page
    assert (
        "21 → 9" in page and "-12 (-15 to -9)" in page and "3.00 → 3.30" in page and "+10.0 % (+0.20 to +0.40)" in page
    )
    assert "house &lt;b&gt; forgot some" in page and "in the manner of its rows" in page
    assert "A trained secret." not in page


def test_a_run_that_was_not_measured_or_before_there_were_intervals_says_what_it_has(tmp_path: Path) -> None:
    suite = make_suite(2, 0, 0)
    assert side_effects((run_with(none=True),)) is None
    page = write(tmp_path, make_evaluation(suite, telling), suite, runs=(run_with(none=True),))
    assert "What else it did" not in page
    old = side_effects((run_with(words_interval=None, refused_interval=None, worse=False, another_manner=False),))
    assert old is not None and not old["notes"]
    assert old["rows"][0]["cells"][1] == {"figure": "0 → 6 of 24", "sure": ""}


def test_the_dossier_holds_the_figures_and_no_answers() -> None:
    plain = plain_side_effects((run_with(), run_with(none=True)))
    assert list(plain) == ["house <b>"]
    assert plain["house <b>"]["refused_interval"] == [0.05, 0.45] and "answers" not in plain["house <b>"]
