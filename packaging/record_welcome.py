"""Record the answers the welcome page shows, really given by the starter model over the sample.

    python packaging/record_welcome.py PROJECT [NUMBER]

PROJECT was made from the sample (`workbench demo` leaves one) and should hold a fine-tune; the machine should be idle,
for the times are shown. NUMBER says which of the sample's questions is asked, from 1. Another one is asked before it,
so that the times are not those of loading the model. Writes resources/welcome.json.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from workbench import paths, records
from workbench.children import Child
from workbench.events import Result
from workbench.lanes.ask import ask
from workbench.lanes.lane import Answer
from workbench.lanes.presets import standard_lanes
from workbench.project import Project
from workbench.sample import sample_questions
from workbench.ui.welcome_example import LANES, RECORD


def record(project: Project, question: str, before: str) -> dict[str, Any]:
    """What the lanes answer to a question, as the welcome page reads it; `before` is asked first."""
    lanes = standard_lanes(project)
    names = [next((name for name in lanes if name.split(":")[0] == family), "") for family in LANES]
    chosen = tuple(lanes[name] for name in names if name) or tuple(lanes.values())[:2]
    knowledge, engine = Child("The document reader"), Child("The model engine")
    try:
        for each in (before, question):
            stage = ask(each, chosen, project.folder, {}, knowledge, engine)
            answers = {event.value.lane: event.value for event in stage if isinstance(event, Result)}
    finally:
        knowledge.close()
        engine.close()
    told = [_told(answers[lane.name]) for lane in chosen]
    stamp = answers[chosen[0].name].stamp
    build = stamp.build.split(";")[0] if stamp is not None else ""  # the CPU's features would be a line of their own
    note = f"Recorded from the starter model over the sample, with {build}."
    return {"question": question, "answers": told, "note": note}


def _told(answer: Answer) -> dict[str, Any]:
    figures = f"first {answer.first_token_seconds:.1f} s · {answer.tokens_per_second:.0f} tok/s"
    return {"lane": answer.lane, "text": answer.text, "figures": figures, "passages": len(answer.passages)}


def main() -> int:
    project, questions = Project.open(Path(sys.argv[1])), sample_questions()
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    told = record(project, questions[number - 1], questions[number % len(questions)])
    records.write_json(paths.resources() / RECORD, told)
    for each in told["answers"]:
        print(each)
    return 0


if __name__ == "__main__":
    sys.exit(main())
