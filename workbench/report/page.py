"""An evaluation and its verdict as one page that a person enjoys reading: one file, nothing loaded, nothing sent.

Questions, answers and passages are untrusted text: Jinja escapes every one of them, the page's policy forbids all
network, and only the page's own script, named by its hash, may run.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from workbench import records
from workbench.advice.records import Verdict
from workbench.evaluation.judge import JudgeReport
from workbench.evaluation.records import Evaluation, Suite
from workbench.evaluation.trials import KeptTests
from workbench.report.beside import beside_values
from workbench.report.dossier import baseline_text, run_again, weaknesses
from workbench.report.redact import LEVELS, redact, without_paths
from workbench.report.side_effects import side_effects
from workbench.report.trials import redact_tests, trial_values
from workbench.report.views import page_values
from workbench.tuning.recipe import RunInfo

FOLDER = Path(__file__).parent


def write_report(
    path: Path,
    evaluation: Evaluation,
    suite: Suite,
    verdict: Verdict,
    *,
    title: str,
    runs: Sequence[RunInfo] = (),
    index: Any = None,
    timings: Mapping[str, float] | None = None,
    machine: Mapping[str, Any] | None = None,
    advice: Mapping[str, Any] | None = None,
    stale: Mapping[str, Sequence[str]] | None = None,
    judge: JudgeReport | None = None,
    tests: KeptTests | None = None,
    redacted: str = "",
) -> Path:
    """Write the report atomically and return its path.

    `runs` are drawn as loss curves, with what else they did; `index` is the index's report or its JSON; `timings` are
    labelled seconds and `machine` labelled facts, shown as they are; `advice` holds a `Beside` as "questionnaire",
    `Cost`s as "costs", `Projection`s as "projections" and sentences as "break_even"; `stale` names the documents newer
    than an adapter; `tests` are those beside the suite; `redacted` is a level of `redact.LEVELS`. Raises OSError where
    nothing can be written, DiskFull when it is full.
    """
    shown, shown_suite = redact(without_paths(evaluation), suite, redacted)
    values = page_values(shown, shown_suite, verdict, runs, index, timings or {}, machine or {})
    values |= beside_values(shown, advice or {}, stale or {}, judge)
    values |= trial_values(shown, redact_tests(tests or KeptTests(), redacted))
    values |= {
        "side_effects": side_effects(runs),
        "weaknesses": weaknesses(evaluation, verdict, redacted),
        "run_again": run_again(evaluation, suite, path.name),
        "baseline": baseline_text(evaluation, suite),
        "redacted": LEVELS[redacted],
    }
    script = (FOLDER / "page.js").read_text(encoding="utf-8").strip()
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("page.html").render(
        values,
        title=title,
        css=Markup((FOLDER / "page.css").read_text(encoding="utf-8").strip()),  # ours, not the person's
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii"),
    )
    records.write_text(path, page)
    return path
