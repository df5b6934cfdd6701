"""What the page shows, worked out of the records: every figure is rounded here, once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from workbench import records
from workbench.advice.attribution import REASONS
from workbench.advice.records import Verdict
from workbench.advice.wording import ADVICE, points
from workbench.evaluation.records import Case, CaseResult, Effect, Evaluation, Suite
from workbench.evaluation.statistics import noise_within
from workbench.evaluation.summary import regroup
from workbench.lanes.lane import Answer
from workbench.report.charts import RELATIVE, between, by_chance, effect_chart, loss_chart, rate_view, small_plots
from workbench.tuning.recipe import RunInfo

KINDS = {"fact": "Facts", "behaviour": "Behaviour", "unanswerable": "Unanswerable"}
EFFECTS = {
    "prompting": "Better prompt",
    "retrieval": "Documents",
    "tuning": "Fine-tune",
    "both": "Documents and fine-tune",
    "whole documents": "Whole documents",
    "tuning given retrieval": "Fine-tune, given documents",
    "retrieval given tuning": "Documents, given fine-tune",
    "interaction": "Extra from having both",
}
INDEX_FACTS = (("files", "Files indexed"), ("chunks", "Passages in the index"), ("skipped", "Files skipped"))
EXAMPLES = 3  # of each reason for a failure
_FAMILIES = {
    "base": ("Base", "Base", "lane-base"),
    "prompted": ("Prompted", "Prompted", "lane-prompted"),
    "rag": ("Documents", "Documents", "lane-rag"),
    "tuned": ("Fine-tuned", "Tuned", "lane-tuned"),
    "rag+tuned": ("Tuned + documents", "Tuned + docs", "lane-both"),
    "full": ("Whole documents", "Whole docs", "lane-full"),
}


def page_values(
    evaluation: Evaluation,
    suite: Suite,
    verdict: Verdict,
    runs: Sequence[RunInfo],
    index: Any,
    timings: Mapping[str, float],
    machine: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything the template asks for, but the page's own title, style and script."""
    lanes = lane_views(evaluation)
    groups = case_groups(evaluation, suite, lanes)
    cases = [case for group in groups for case in group["cases"]]
    doubtful = {lane: said for lane, said in evaluation.canaries.items() if said != "ok"}
    return {
        "verdict": verdict,
        "suite_name": suite.name,
        "total": sum(not case["left_out"] for case in cases),
        "listed": len(cases),
        "day": evaluation.created.partition("T")[0],
        "kinds": [
            {"title": KINDS.get(kind, kind), "advice": ADVICE["nothing" if kind in verdict.unhelped else said]}
            for kind, said in verdict.by_kind.items()
        ],
        "lanes": list(lanes.values()),
        "canaries_good": bool(evaluation.canaries) and not doubtful,
        "canary_faults": [f"{lanes[lane]['title']}: {said}" for lane, said in doubtful.items() if lane in lanes],
        "matrix": _matrix(evaluation, lanes),
        **_effects(evaluation, lanes),
        "failing": _failing(verdict, lanes, groups),
        "oracle": _oracle_text(verdict),
        "curves": [curve for run in runs if (curve := _curve(run))],
        "speeds": _speeds(evaluation, lanes),
        "facts": _facts(index, timings, machine),
        "groups": groups,
        "count_failed": sum(case["fails"] for case in cases),
        "count_differ": sum(case["differs"] for case in cases),
        "made_with": _made_with(evaluation),
        "definitions": _definitions(evaluation, lanes),
    }


def lane_views(evaluation: Evaluation) -> dict[str, dict[str, str]]:
    """Title, short title and css class of each lane of an evaluation."""
    return views_of(evaluation.lanes, evaluation.withheld)


def views_of(names: Iterable[str], withheld: Collection[str] = ()) -> dict[str, dict[str, str]]:
    """Title, short title and css class of lanes; the fine-tune's name is added where there are several."""
    lanes = list(names)
    families = [lane.partition(":")[0] for lane in lanes]
    views = {}
    for lane, family in zip(lanes, families, strict=True):
        title, short, css = _FAMILIES.get(family, (lane, lane, "lane-own"))
        if families.count(family) > 1:
            title, short = f"{title} ({lane.partition(':')[2]})", f"{short} {lane.partition(':')[2]}"
        if lane in withheld:  # what it is called is what was not proven
            title, short, css = f"Label withheld ({lane})", "Withheld", "lane-none"
        views[lane] = {"name": lane, "title": title, "short": short, "css": css}
    return views


def _matrix(evaluation: Evaluation, lanes: Mapping[str, dict[str, str]]) -> list[dict[str, Any]]:
    kinds = list(dict.fromkeys(kind for lane in evaluation.lanes.values() for kind in lane.by_kind))
    rows = [("All", {lane: summary.overall for lane, summary in evaluation.lanes.items()})]
    if len(kinds) > 1:
        for kind in kinds:
            rates = {
                lane: summary.by_kind[kind] for lane, summary in evaluation.lanes.items() if kind in summary.by_kind
            }
            rows.append((KINDS.get(kind, kind), rates))
    return [
        {
            "title": title,
            "total": max((rate.total for rate in rates.values()), default=0),
            "cells": [
                {"lane": lanes[lane], "rate": rate_view(rates[lane]) if lane in rates else None} for lane in lanes
            ],
        }
        for title, rates in rows
    ]


def _effects(evaluation: Evaluation, lanes: Mapping[str, dict[str, str]]) -> dict[str, Any]:
    margin = evaluation.noise.margin if evaluation.noise else 0.0
    several = len({lane.partition(":")[2] for lane in lanes if ":" in lane}) > 1
    groups: dict[str, list[tuple[str, str, Effect]]] = {}
    for effect in sorted(evaluation.effects, key=lambda each: each.name in RELATIVE):
        css = lanes[effect.lane]["css"] if effect.name != "interaction" else "lane-none"
        name = EFFECTS.get(effect.name, effect.name)
        title = f"{name} ({effect.lane.partition(':')[2]})" if several and ":" in effect.lane else name
        groups.setdefault(effect.kind, []).append((title, css, effect))
    rows = groups.pop("", [])
    return {
        "effects_all": effect_chart(rows, margin),
        "effects_by_kind": {
            "kinds": [KINDS.get(kind, kind) for kind in groups],
            "rows": _kind_rows(rows, groups, margin),
        },
        "noise_text": _noise_text(evaluation),
    }


def _kind_rows(
    rows: Sequence[tuple[str, str, Effect]], groups: Mapping[str, list[tuple[str, str, Effect]]], margin: float
) -> list[dict[str, Any]]:
    """Each effect over the kinds of case, with the noise of so many cases behind it; faint where it may be chance."""
    by_key = {(each.name, each.lane, each.kind): each for group in groups.values() for _, _, each in group}
    every = max((effect.total for _, _, effect in rows), default=0)
    shown = [(each, noise_within(margin, each.total, every)) for each in by_key.values()]
    plots = dict(zip(by_key, small_plots(shown), strict=True))

    def cell(name: str, lane: str, kind: str) -> dict[str, Any] | None:
        effect = by_key.get((name, lane, kind))
        if effect is None:
            return None
        faint = by_chance(effect) or abs(effect.difference) <= noise_within(margin, effect.total, every)
        figures = {"value": points(effect.difference), "between": between(effect), "faint": faint}
        return {**figures, "plot": plots[name, lane, kind]}

    return [
        {"title": title, "css": css, "cells": [cell(effect.name, effect.lane, kind) for kind in groups]}
        for title, css, effect in rows
    ]


def _noise_text(evaluation: Evaluation) -> str:
    noise = evaluation.noise
    if noise is None or not noise.asked:
        return "noise was not measured"
    changed = f"{noise.changed_verdict} of {noise.asked} verdicts changed under another seed"
    return f"noise: ±{max(1, round(100 * noise.margin))} ({changed})"


def _oracle_text(verdict: Verdict) -> str:
    """What the oracle lane says of the failures, in a line."""
    tried = {each.case: each.oracle for each in verdict.failed_cases if each.oracle is not None}
    if not tried:
        return ""
    asked = "One failed question of fact was" if len(tried) == 1 else f"{len(tried)} failed questions of fact were"
    right = sum(tried.values())
    return (
        f"{asked} asked again with the right passages put in by hand, and {right or 'none'} came out right. "
        "What then comes out right, a better search would mend; what does not, it would not."
    )


def _examples(key: str, verdict: Verdict, lanes: Mapping[str, Any], cases: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Up to three failed cases of a reason, each of another question where there are so many."""
    failures = [each for each in verdict.failed_cases if each.reason == key and each.lane in lanes]
    chosen = list({each.case: each for each in reversed(failures)}.values())[::-1][:EXAMPLES]
    return [
        {
            "question": cases[each.case]["question"],
            "lane": lanes[each.lane],
            "text": next(cell["text"] for cell in cases[each.case]["cells"] if cell["lane"]["name"] == each.lane),
        }
        for each in chosen
        if each.case in cases
    ]


def _failing(
    verdict: Verdict, lanes: Mapping[str, dict[str, str]], groups: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One row per reason that occurs, the most frequent first, with each lane's count and a few examples."""
    cases = {case["id"]: case for group in groups for case in group["cases"]}
    totals = {key: sum(counts.get(key, 0) for counts in verdict.failures.values()) for key in REASONS}
    most = max((count for counts in verdict.failures.values() for count in counts.values()), default=1)
    rows = []
    for key in sorted(REASONS, key=lambda each: -totals[each]):
        if totals[key]:
            counts = [verdict.failures.get(lane, {}).get(key, 0) for lane in lanes]
            cells = [
                {"css": view["css"], "count": count, "width": round(100 * count / most)}
                for view, count in zip(lanes.values(), counts, strict=True)
            ]
            examples = _examples(key, verdict, lanes, cases)
            rows.append({**records.to_plain(REASONS[key]), "cells": cells, "examples": examples})
    return rows


def _curve(run: RunInfo) -> dict[str, Any] | None:
    svg = loss_chart(run.train_loss, run.eval_loss)
    if svg is None:
        return None
    facts = [
        f"{run.examples} examples" if run.examples else "",
        f"{run.step} of {run.total} steps",
        duration(run.seconds),
    ]
    facts += [f"{run.tokens_per_second:.0f} tokens/s" if run.tokens_per_second else "", run.backend]
    return {"name": run.name, "outcome": run.outcome, "svg": svg, "facts": ", ".join(filter(None, facts))}


def _speeds(evaluation: Evaluation, lanes: Mapping[str, dict[str, str]]) -> list[dict[str, Any]]:
    return [
        {
            **lanes[lane],
            "cells": [
                duration(each.median_seconds),
                duration(each.p95_seconds),
                duration(each.median_first_token),
                f"{each.tokens_per_second:.0f}",
                f"{each.prompt_tokens:.0f}",
                f"{each.found.passed} of {each.found.total}" if each.found and each.found.total else "–",
            ],
        }
        for lane, each in evaluation.lanes.items()
    ]


def duration(seconds: float) -> str:
    """Seconds as people read them: "0.25 s", "14 s", "3 min 5 s", "2 h 4 min"."""
    if seconds < 9.95:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _facts(index: Any, timings: Mapping[str, float], machine: Mapping[str, Any]) -> list[tuple[str, str]]:
    plain = records.to_plain(index) if index is not None else {}
    found = []
    if isinstance(plain, dict):
        for key, title in INDEX_FACTS:
            if key in plain:
                value = plain[key]
                found.append((title, str(len(value) if isinstance(value, list) else value)))
        if isinstance(plain.get("seconds"), (int, float)):
            found.append(("Indexing took", duration(plain["seconds"])))
    found += [(label, duration(seconds)) for label, seconds in timings.items()]
    return found + [(label, str(value)) for label, value in machine.items()]


def case_groups(evaluation: Evaluation, suite: Suite, lanes: Mapping[str, dict[str, str]]) -> list[dict[str, Any]]:
    """The cases by kind, each with one cell per lane."""
    cases = {case.id: case for case in suite.cases}
    groups: dict[str, list[dict[str, Any]]] = {}
    for results in regroup(evaluation.results, lambda result: result.case).values():
        left_out = evaluation.left_out.get(results[0].case, "")
        view = {**_case_view(cases.get(results[0].case), results, lanes), "left_out": left_out}
        groups.setdefault(results[0].kind, []).append(view)
    return [
        {
            "kind": kind,
            "title": KINDS.get(kind, kind),
            "total": len(views),
            "counts": _counts([view for view in views if not view["left_out"]], lanes),
            "cases": views,
        }
        for kind, views in groups.items()
    ]


def _counts(views: Sequence[Mapping[str, Any]], lanes: Iterable[str]) -> list[str]:
    return [f"{sum(view['passed'].get(lane, False) for view in views)} of {len(views)}" for lane in lanes]


def _case_view(case: Case | None, results: Sequence[CaseResult], lanes: Mapping[str, dict[str, str]]) -> dict[str, Any]:
    passed = {result.lane: result.passed for result in results}
    seen: set[str] = set()  # passages whose text was shown at a lane before
    return {
        "id": results[0].case,
        "kind": results[0].kind,
        "question": results[0].answer.question,
        "source": case.source if case else None,
        "tags": case.tags if case else (),
        "expects": _expects(case) if case else "",
        "passed": passed,
        "fails": int(not all(passed.values())),
        "differs": int(len(set(passed.values())) > 1),
        "cells": [_cell(result, lanes[result.lane], seen) for result in results if result.lane in lanes],
    }


def _expects(case: Case) -> str:
    """The checks in a line: what an answer must do."""
    said = []
    for check in case.checks:
        for name, value in check.items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            said.append(f"{name.replace('_', ' ')} {shown if len(shown) < 120 else shown[:119] + '…'}")
    return "checks: " + "; ".join(said)


def _cell(result: CaseResult, lane: dict[str, str], seen: set[str]) -> dict[str, Any]:
    answer, failed = result.answer, [check for check in result.checks if not check.passed]
    return {
        "lane": lane,
        "passed": result.passed,
        "word": "pass" if result.passed else (failed[0].reason or failed[0].check) if failed else "failed",
        "text": answer.text,
        "code": answer.text.lstrip()[:1] in ("{", "["),
        "nothing": answer.error or "No text came.",
        "failed": [f"{check.check.replace('_', ' ')}: {check.reason}" for check in failed],
        "figures": _figures(answer),
        "passages": _passages(answer, seen),
    }


def _figures(answer: Answer) -> str:
    said = [duration(answer.seconds), f"{answer.answer_tokens} tokens"]
    if answer.tokens_per_second:
        said.append(f"{answer.tokens_per_second:.0f} tok/s")
    ended = {"length": "cut off at the limit", "repeats": "ended, for it went round in circles"}.get(answer.stopped)
    return ", ".join([*said, ended] if ended else said)


def _passages(answer: Answer, seen: set[str]) -> list[dict[str, Any]]:
    found = []
    for number, passage in enumerate(answer.passages, start=1):
        text = "" if passage.id in seen else passage.text
        seen.add(passage.id)
        cited = number in answer.cited
        found.append({"file": passage.file, "location": passage.location, "text": text, "cited": cited})
    return found


def _made_with(evaluation: Evaluation) -> list[tuple[str, str]]:
    made = evaluation.made_with
    found = [
        ("Run", evaluation.name),
        ("Begun", evaluation.created.replace("T", " ")),
        ("Time answering", duration(evaluation.seconds)),
        ("Suite, SHA-256", evaluation.suite_hash[:16]),
        ("Measured", _measured(made.get("measuring") or {})),
    ]
    for key, title in (("workbench", "Workbench"), ("python", "Python"), ("machine", "System"), ("build", "Engine")):
        if made.get(key):
            found.append((title, str(made[key])))
    lanes = made.get("lanes") or {}
    models = dict.fromkeys(each.get("model", "")[:16] for each in lanes.values())
    adapters = dict.fromkeys(each.get("adapter", "")[:16] for each in lanes.values())
    found += [("Model, SHA-256", model) for model in models if model]
    return found + [("Adapter, SHA-256", adapter) for adapter in adapters if adapter]


def _measured(measuring: Mapping[str, Any]) -> str:
    """How each question was asked, as times can only be compared where that is the same."""
    repeats = measuring.get("repeats", 1)
    asked = "each question once" if repeats == 1 else f"each question {repeats} times"
    kept = "nothing read before it kept" if measuring.get("cold") else "what lanes read before kept"
    return f"one lane after the other, {asked}, {kept}"


def _definitions(evaluation: Evaluation, lanes: Mapping[str, dict[str, str]]) -> list[dict[str, str]]:
    made = evaluation.made_with.get("lanes") or {}
    return [
        {**lanes[lane], "text": json.dumps(records.to_plain(each), ensure_ascii=False, indent=1)}
        for lane, each in made.items()
        if lane in lanes
    ]
