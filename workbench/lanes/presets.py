"""The lanes that always exist, a person's own beside them, and finding one by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from workbench import paths, records
from workbench.bases import base_names
from workbench.errors import InputError
from workbench.lanes.lane import PASSAGES, Lane
from workbench.project import AdapterRef, Project

PLAIN = ("base", "prompted", "rag", "full")


def standard_lanes(project: Project) -> dict[str, Lane]:
    """The contract's lanes by name, in the order people compare them: base, prompted, rag, each adapter twice, full.

    An adapter that does not answer in llama.cpp as it did in training has none until a person chose it all the same.

    With further knowledge bases there is a lane that reads passages for each, "rag@NAME", after rag.
    Raises MissingFile or InputError where the project's chat model is not to be found.
    """
    model = chat_model(project)
    info = project.info
    lanes = [
        Lane("base", model, "Base", "Base"),
        Lane("prompted", model, "Prompted", "Prompted", system=info.system_prompt, examples=info.examples),
        Lane("rag", model, "Documents (RAG)", "Documents", context="passages"),
    ]
    lanes += [_lane_over(lanes[-1], name) for name in base_names(project)]
    adapters = project.offered_adapters()
    several = len(adapters) > 1
    for adapter in reversed(adapters):
        lanes += _tuned_lanes(model, adapter, f" · {adapter.name}" if several else "")
    lanes.append(Lane("full", model, "Whole document", "Whole doc", context="full", passages=1))
    return {lane.name: lane for lane in lanes}


def _lane_over(lane: Lane, base: str) -> Lane:
    """The same lane over another knowledge base."""
    title, short = f"{lane.title} \N{MIDDLE DOT} {base}", f"{lane.short} \N{MIDDLE DOT} {base}"
    return replace(lane, name=f"{lane.name}@{base}", title=title, short=short, base=base)


def _tuned_lanes(model: Path, adapter: AdapterRef, suffix: str) -> list[Lane]:
    """An adapter alone and with passages, each shown the system prompt it was trained with."""
    both = "Fine-tuned + documents", "Tuned + documents"
    return [
        Lane(
            f"tuned:{adapter.name}",
            model,
            f"Fine-tuned{suffix}",
            f"Fine-tuned{suffix}",
            adapter=adapter.path,
            system=adapter.system,
        ),
        Lane(
            f"rag+tuned:{adapter.name}",
            model,
            f"{both[0]}{suffix}",
            f"{both[1]}{suffix}",
            adapter=adapter.path,
            context="passages",
            passages=_passages(adapter),
            system="" if adapter.reads_passages else adapter.system,
            grounded_examples=not adapter.reads_passages,
        ),
    ]


def _passages(adapter: AdapterRef) -> int:
    """How many passages an adapter is given to read: as many as its rows showed, for so it was taught to read.

    Two at least, as no search is sure of its first; and no more than the lane without the adapter reads.
    """
    return min(max(adapter.passages, 2), PASSAGES) if adapter.passages else PASSAGES


def own_lanes(project: Project) -> dict[str, Lane]:
    """The lanes a person added. Raises InputError for one that cannot be read."""
    found = {}
    for plain in project.info.lanes:
        name = plain.get("name", "")
        try:
            model = plain.get("model") or chat_model(project)
            lane: Lane = records.from_plain(Lane, {**plain, "model": model})
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise InputError(
                f"The lane {name!r} in project.json cannot be read: correct or remove it there."
            ) from error
        found[lane.name] = lane
    return found


def find_lane(project: Project, name: str) -> Lane:
    """The lane with this name; "tuned" and "rag+tuned" mean the newest sound adapter. Naming one is choosing it.

    Raises InputError that names the lanes there are.
    """
    lanes = {**standard_lanes(project), **own_lanes(project)}
    if name in lanes:
        return lanes[name]
    adapters = project.sound_adapters()
    if name in ("tuned", "rag+tuned"):
        if adapters:
            return lanes[f"{name}:{adapters[-1].name}"]
        if project.adapters():
            unsound = project.adapters()[-1].name
            raise InputError(
                f"The adapter {unsound} does not answer in llama.cpp as it did in training, so no lane is made of it "
                f"unasked: fine-tune anew, or name it, {name}:{unsound}, to use it all the same."
            )
        raise InputError(
            f"There is no fine-tuned adapter yet for the lane {name}: make one with `workbench tune` first."
        )
    for adapter in project.adapters():
        for lane in _tuned_lanes(chat_model(project), adapter, f" \N{MIDDLE DOT} {adapter.name}"):
            if lane.name == name:
                return lane
    raise InputError(f"There is no lane named {name}: the lanes here are {', '.join(lanes)}.")


def chat_model(project: Project) -> Path:
    """The project's chat model: the starter, a path, or a name of the catalogue.

    Raises MissingFile or InputError where it is not to be found.
    """
    wanted = project.info.chat_model
    if not wanted:
        return paths.starter_model()
    path = Path(wanted).expanduser()
    if path.suffix == ".gguf" or path.is_file():
        return path
    from workbench.catalog.models import find_model

    return find_model(wanted)
