"""What the Evaluate page shows of a project: which suite, which of its runs, and the run it is compared with. No Qt."""

from __future__ import annotations

from pathlib import Path

from workbench.evaluation.records import Case, CaseResult, Evaluation, Suite
from workbench.evaluation.suite import read_suite, suite_files
from workbench.project import Project
from workbench.ui.evaluate_rows import cases_of, lanes_of


class Shown:
    """The suite and the runs of a project, and what is chosen among them."""

    def __init__(self) -> None:
        self.suite: Suite | None = None
        self.files: tuple[Path, ...] = ()  # of the suites in the project
        self.runs: tuple[Evaluation, ...] = ()  # of all suites, oldest first
        self.run: Evaluation | None = None  # None: the run under way, or the one that was stopped
        self.earlier: Evaluation | None = None  # what `run` is compared with
        self._results_of = ""  # the suite whose results are shown where its file is not in the project

    @property
    def name(self) -> str:
        """The suite's; "" where there is none."""
        return self.suite.name if self.suite is not None else self._results_of

    @property
    def runs_of_suite(self) -> tuple[Evaluation, ...]:
        """The runs of the suite shown, of any version of it, oldest first."""
        names = {self._results_of} if self.suite is None else {self.suite.name, self.suite.path.stem}
        return tuple(run for run in self.runs if run.suite in names)

    def read_suite(self, project: Project, wanted: str) -> None:
        """Show the suite in the file of this name, else the first there is. Raises BadSuite, showing none then."""
        self.files = suite_files(project)
        chosen = next((path for path in self.files if path.name == wanted), self.files[0] if self.files else None)
        self.suite, self._results_of = None, ""
        if chosen is not None:
            self.suite = read_suite(chosen)

    def show_runs(self, project: Project, runs: tuple[Evaluation, ...]) -> None:
        """Take runs that were read; without a suite the newest results of one that lies elsewhere are shown."""
        self.files, self.runs = suite_files(project), runs
        elsewhere = self.suites_elsewhere()
        if self.suite is None and elsewhere and not self._results_of:
            self._results_of = elsewhere[0]

    def suites_elsewhere(self) -> list[str]:
        """Suites that have results here and no file, those with the newest results first."""
        own = {path.stem for path in self.files} | ({self.suite.name} if self.suite is not None else set())
        return [name for name in dict.fromkeys(run.suite for run in reversed(self.runs)) if name not in own]

    def show_results(self, name: str) -> None:
        """Show the results of a suite whose file lies elsewhere: it can be looked at, and neither edited nor run."""
        self.suite, self._results_of = None, name

    def choose(self, run: Evaluation | None) -> tuple[Evaluation, ...]:
        """Show a run beside the one before it; what it can be compared with, oldest first."""
        self.run = run
        before = tuple(
            each
            for each in self.runs_of_suite
            if run is not None and each.created < run.created and set(each.lanes) & set(run.lanes)
        )
        self.earlier = before[-1] if before else None
        return before

    def matter(self) -> tuple[tuple[str, ...], tuple[CaseResult, ...], tuple[Case, ...]]:
        """Lanes, results and cases of the run that is shown; nothing without one."""
        if self.run is None:
            return (), (), ()
        return lanes_of(self.run), self.run.results, cases_of(self.run, self.suite)
