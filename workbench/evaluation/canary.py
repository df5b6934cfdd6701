"""Whether a lane is what its label says, read off the stamps of what it answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench import records
from workbench.evaluation.records import CaseResult
from workbench.lanes.lane import Lane


def check_lane(lane: Lane, results: Sequence[CaseResult], by_lane: Mapping[str, Sequence[CaseResult]]) -> str:
    """ "ok", or the first reason why the lane may not be what its label says, as a sentence."""
    answered = [result for result in results if result.answer.stopped != "failed" and result.answer.stamp is not None]
    if not answered:
        return "No answer of this lane carries a stamp, so nothing proves what made it."
    return _adapter_fault(lane, answered, by_lane) or _passages_fault(lane, answered) or "ok"


def _adapter_fault(lane: Lane, answered: Sequence[CaseResult], by_lane: Mapping[str, Sequence[CaseResult]]) -> str:
    used = {result.answer.stamp.adapter for result in answered if result.answer.stamp is not None}
    wanted = records.hash_file(lane.adapter) if lane.adapter is not None and lane.adapter.is_file() else ""
    if any(not _same_hash(each, wanted) for each in used):
        return "The adapter that was set in the engine is not the lane's own."
    for result in answered:
        if result.answer.stamp is not None and result.answer.stamp.canary not in ("", "ok"):
            return result.answer.stamp.canary
    if lane.adapter is not None and _never_differs(answered, by_lane):
        return "The adapter never changed an answer: given the same prompts, the lane said what the bare model says."
    return ""


def _never_differs(answered: Sequence[CaseResult], by_lane: Mapping[str, Sequence[CaseResult]]) -> bool:
    """Whether another lane without an adapter got the same prompts and always gave the same texts."""
    ours = {result.answer.stamp.prompt_hash: result.answer.text for result in answered if result.answer.stamp}
    compared = 0
    for results in by_lane.values():
        for result in results:
            stamp = result.answer.stamp
            if stamp is not None and not stamp.adapter and stamp.prompt_hash in ours:
                compared += 1
                if ours[stamp.prompt_hash] != result.answer.text:
                    return False
    return compared >= 3  # one or two short answers may well be the same with and without an adapter


def _passages_fault(lane: Lane, answered: Sequence[CaseResult]) -> str:
    for result in answered:
        answer = result.answer
        if lane.context == "none" and (answer.passages or (answer.stamp is not None and answer.stamp.passages)):
            return "Passages reached the prompt of a lane that should have none."
        if answer.prompt and any(passage.text.strip()[:60] not in answer.prompt for passage in answer.passages):
            return "A passage that is shown with an answer is not in its prompt."
    if lane.context != "none" and not any(result.answer.passages for result in answered):
        return "No passage ever reached the prompt: index a folder first, or look why nothing is found."
    return ""


def _same_hash(stamped: str, wanted: str) -> bool:
    """Stamps may hold the short form of a hash, sixteen digits."""
    return stamped == wanted or (len(stamped) >= 16 and wanted.startswith(stamped))
