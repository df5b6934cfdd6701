"""Record the answers the welcome page shows, really given by the starter model over the sample.

    python packaging/record_welcome.py PROJECT

PROJECT was made from the sample (`workbench demo` leaves one) and should hold a fine-tune; the machine should be idle,
for the times are shown. Writes resources/welcome.json.
"""

from __future__ import annotations

import sys
from pathlib import Path

from workbench import paths, records
from workbench.children import Child
from workbench.events import Result
from workbench.lanes.ask import ask
from workbench.lanes.presets import standard_lanes
from workbench.project import Project
from workbench.sample import sample_questions
from workbench.ui.welcome_example import LANES, RECORD


def main() -> int:
    project, question = Project.open(Path(sys.argv[1])), sample_questions()[0]
    lanes = standard_lanes(project)
    names = [next((name for name in lanes if name.split(":")[0] == family), "") for family in LANES]
    chosen = tuple(lanes[name] for name in names if name) or tuple(lanes.values())[:2]
    knowledge, engine = Child("The document reader"), Child("The model engine")
    try:
        stage = ask(question, chosen, project.folder, {}, knowledge, engine)
        answers = {event.value.lane: event.value for event in stage if isinstance(event, Result)}
    finally:
        knowledge.close()
        engine.close()
    told = []
    for lane in chosen:
        answer = answers[lane.name]
        figures = f"first {answer.first_token_seconds:.1f} s · {answer.tokens_per_second:.0f} tok/s"
        told.append({"lane": lane.name, "text": answer.text, "figures": figures, "passages": len(answer.passages)})
    stamp = answers[chosen[0].name].stamp
    build = stamp.build.split(";")[0] if stamp is not None else ""  # the CPU's features would be a line of their own
    note = f"Recorded from the starter model over the sample, with {build}."
    records.write_json(paths.resources() / RECORD, {"question": question, "answers": told, "note": note})
    for each in told:
        print(each)
    return 0


if __name__ == "__main__":
    sys.exit(main())
