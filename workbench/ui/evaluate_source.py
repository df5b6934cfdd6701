"""What the Evaluate and Advise pages read and write: suites, runs, lanes and exports of a project."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from workbench.errors import BadSuite, InputError, WorkbenchError
from workbench.evaluation.records import CaseResult, Evaluation, Suite
from workbench.evaluation.suite import read_suite, suite_files
from workbench.events import Progress, Result, Stage
from workbench.lanes.lane import Lane
from workbench.project import Project
from workbench.ui.evaluate_rows import cases_of


def new_suite_file(project: Project, name: str) -> Path:
    """A file for a new suite, of a name that is not taken."""
    from workbench.evaluation.results import slug

    stem, number = slug(name) or "suite", 2
    path = project.suites_folder / f"{stem}.yaml"
    while path.exists():
        path, number = project.suites_folder / f"{stem}-{number}.yaml", number + 1
    return path


def import_suite(project: Project, file: Path) -> tuple[Path, tuple[str, ...]]:
    """A suite in the project from a file: copied where it is one of ours, else made from a table or from promptfoo's
    configuration; with what a person should know of it. Raises BadSuite and MissingFile, and writes nothing then.
    """
    from workbench.evaluation.importing import import_suite as make_suite

    try:
        suite = read_suite(file)
    except BadSuite:
        made = new_suite_file(project, file.stem)
        made.parent.mkdir(parents=True, exist_ok=True)
        return made, make_suite(file, made)[1]
    copy = project.suites_folder / file.name
    if copy.exists() and read_suite(copy).hash != suite.hash:
        copy = new_suite_file(project, file.stem).with_suffix(file.suffix)
    copy.parent.mkdir(parents=True, exist_ok=True)
    if copy.absolute() != file.absolute():
        shutil.copyfile(file, copy)
    return copy, ()


def list_runs(project: Project) -> tuple[Evaluation, ...]:
    """The finished evaluations of a project, oldest first; damaged ones are left out. Each file is read once."""
    found = []
    for path in _run_files(project):
        with contextlib.suppress(InputError, OSError):
            found.append(_read_run(path))
    return tuple(sorted(found, key=lambda run: (run.created, run.name)))


def has_unread_runs(project: Project) -> bool:
    """Whether listing the runs takes longer than a person should wait for: a run is some hundred kilobytes of JSON."""
    return any(path not in _read_runs or _read_runs[path][0] != _mark(path) for path in _run_files(project))


def read_runs(project: Project) -> Stage:
    """The same as a stage, for a job; what was read is listed at once afterwards."""
    files = _run_files(project)
    for done, path in enumerate(files):
        yield Progress(done, len(files), QCoreApplication.translate("results", "reading results"))
        with contextlib.suppress(InputError, OSError):
            _read_run(path)
    yield Result(None)


_read_runs: dict[Path, tuple[tuple[int, int], Evaluation | None]] = {}  # by file: its mark, and what it holds


def _run_files(project: Project) -> tuple[Path, ...]:
    from workbench.evaluation.results import DONE

    return tuple(project.results_folder.glob(f"*/{DONE}"))


def _mark(path: Path) -> tuple[int, int]:
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_size, found.st_mtime_ns
    return 0, 0


def _read_run(path: Path) -> Evaluation:
    """One run, from memory where its file is as it was. Raises InputError when it is damaged, also from memory."""
    from workbench.evaluation.results import read_evaluation

    mark = _mark(path)
    kept = _read_runs.get(path)
    if kept is None or kept[0] != mark:
        _read_runs[path] = mark, None
        _read_runs[path] = mark, read_evaluation(path.parent)
    run = _read_runs[path][1]
    if run is None:
        raise InputError(QCoreApplication.translate("results", "{0} is damaged.").format(path))
    return run


def delete_run(project: Project, run: Evaluation) -> None:
    """Delete a run with its answers, marks and judgements. Raises ProjectBusy, and InputError for one elsewhere."""
    import shutil

    with project.writing("deleting a run"):
        if run.folder.resolve().parent != project.results_folder.resolve():
            said = QCoreApplication.translate("results", "{0} is no run of this project, so it was left alone.")
            raise InputError(said.format(run.folder))
        shutil.rmtree(run.folder)


def stopped_run(project: Project, suite: Suite) -> tuple[CaseResult, ...]:
    """What a run of this version of the suite has answered that was begun and not finished; nothing without one."""
    from workbench.evaluation.results import unfinished_results

    return unfinished_results(project.folder, suite)


def suite_of(project: Project, evaluation: Evaluation) -> Suite:
    """The suite of a run; where its file is gone, one made of what the results know."""
    for path in suite_files(project):
        with contextlib.suppress(WorkbenchError):
            suite = read_suite(path)
            if evaluation.suite in (suite.name, path.stem):
                return suite
    return Suite(Path(evaluation.suite), evaluation.suite, cases_of(evaluation, None), evaluation.suite_hash)


def all_lanes(project: Project) -> tuple[Lane, ...]:
    """The standard lanes and a person's own; none where the model is missing, which other pages say."""
    from workbench.lanes.presets import own_lanes, standard_lanes

    with contextlib.suppress(WorkbenchError):
        return tuple({**standard_lanes(project), **own_lanes(project)}.values())
    return ()


def export(kind: str, path: Path, evaluation: Evaluation, suite: Suite, project: Project) -> Stage:
    """Write a run as "html", "json", "csv" or "junit", or as "redacted" (the page without texts of documents and
    answers); a stage, so that a job can run it."""
    yield Progress(0, 0, QCoreApplication.translate("results", "writing {0}").format(path.name))
    if kind == "csv":
        from workbench.evaluation.export import write_csv

        write_csv(path, evaluation)
    elif kind == "junit":
        from workbench.evaluation.export import write_junit

        write_junit(path, evaluation)
    elif kind == "json":
        from workbench.report.gather import write_json_dossier

        write_json_dossier(path, evaluation, suite, project, "")
    else:
        from workbench.report.gather import write_page

        write_page(path, evaluation, suite, project, "answers" if kind == "redacted" else "")
    yield Result(path)
