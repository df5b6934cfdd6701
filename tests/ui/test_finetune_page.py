"""The Fine-tune page as a person uses it: drop a file, mend a row, choose a recipe, start, stop, go on, compare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_up_project import make_run
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot
from scripted_trainer import MEASURED, REPORT, Trainer, script_tuning

from workbench.catalog import memory
from workbench.errors import BadDataset, TooLittleMemory
from workbench.events import Stage, Step
from workbench.paths import starter_model
from workbench.project import Project
from workbench.tuning import dry_run
from workbench.tuning.files import read_file
from workbench.tuning.recipe import Recipe, Sample
from workbench.tuning.remarks import Remark
from workbench.ui import finetune_settings
from workbench.ui import finetune_source as source
from workbench.ui.bench import Bench
from workbench.ui.finetune_page import FinetunePage
from workbench.ui.finetune_presets import KEYS, Speed, estimate_seconds, make_choices, step_count
from workbench.ui.finetune_rows import RowDialog, can_mend, put_line, read_row, replace_row, take_in
from workbench.ui.finetune_run import RunCourse, pass_marks
from workbench.ui.finetune_runs import RunsSheet
from workbench.ui.finetune_samples import judge
from workbench.ui.finetune_settings import RecipeSheet


@pytest.fixture
def trainer(project: Project, monkeypatch: pytest.MonkeyPatch) -> Trainer:
    return script_tuning(project, monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tickets.jsonl"
    path.write_text('{"prompt": "a", "completion": "b"}\n{"prompt": broken}\n{"prompt": "a", "completion": "b"}\n')
    return path


@pytest.fixture
def page(bench: Bench, trainer: Trainer, qtbot: QtBot) -> Iterator[FinetunePage]:
    made = FinetunePage(bench)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    yield made
    trainer.go.set()


@pytest.fixture
def ready(page: FinetunePage, file: Path, qtbot: QtBot) -> FinetunePage:
    page.take_files((file,))
    qtbot.waitUntil(page.start.isEnabled)
    return page


def test_without_a_file_nothing_can_be_started(page: FinetunePage) -> None:
    assert not page.start.isEnabled()
    assert page.data.hint.isVisible() and page.empty.isVisible()
    assert not page.recipe.cards["balanced"].isEnabled()


def test_a_file_is_copied_into_the_project_and_described(ready: FinetunePage, project: Project, file: Path) -> None:
    assert (project.datasets_folder / "tickets.jsonl").read_bytes() == file.read_bytes()
    assert ready.data.counts.text() == "409 ready: 368 to train, 41 held out"
    assert ready.data.problems.title.text() == "2 rows need a look"
    assert ready.data.example.toPlainText().endswith('{"product": "X2"}')
    assert ready.data.histogram.toolTip().startswith("From 40 to 1204 tokens")
    assert ready.name.text() == "tickets"


def test_what_to_weigh_of_the_set_as_a_whole_is_said(ready: FinetunePage) -> None:
    assert not ready.data._remarks.isVisible()
    told = (Remark("size", "note", "409 rows teach a form."), Remark("facts", "warning", "Facts, by their looks."))
    ready.data.show_report(replace(REPORT, remarks=told), 41, 1024, ())
    lines = [each.text() for each in ready.data._remarks.findChildren(QLabel) if each.text()]
    assert ready.data._remarks.isVisible() and lines == ["409 rows teach a form.", "Facts, by their looks."]
    ready.data.show_report(REPORT, 41, 1024, ())
    assert not ready.data._remarks.isVisible()


def test_a_file_that_cannot_be_trained_says_why(page: FinetunePage, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "bad.csv").write_text("x")
    page.take_files((tmp_path / "bad.csv",))
    qtbot.waitUntil(lambda: page.data.counts.text() == "bad.csv has no row that can be trained.")
    assert not page.start.isEnabled()


def test_a_row_is_mended_in_the_copy_alone(ready: FinetunePage, project: Project, file: Path, qtbot: QtBot) -> None:
    copy = project.datasets_folder / "tickets.jsonl"
    dialog = RowDialog(copy, REPORT.problems[0])
    qtbot.addWidget(dialog)
    dialog._on_save_clicked()
    assert "not valid JSON yet" in dialog.said.text() and not dialog.result()
    dialog.text.setPlainText('{"prompt": "mended",\n "completion": "b"}')
    dialog._on_save_clicked()
    assert dialog.result() and json.loads(read_row(copy, 2))["prompt"] == "mended"
    assert "broken" in file.read_text()


def test_the_very_row_is_changed_whatever_the_encoding_and_the_ends_of_lines(tmp_path: Path) -> None:
    rows = ['{"prompt": "Größe?", "completion": "1"}', '{"prompt": broken}', '{"prompt": "b", "completion": "2"}']
    mended = '{"prompt": "mended", "completion": "3"}'
    for name, content in {
        "utf16": "\n".join(rows).encode("utf-16"),
        "old-mac": "\r".join(rows).encode("utf-8-sig"),
        "bytes": "\n".join(rows).encode().replace(b"Gr", b"Gr\xff"),
    }.items():
        file = tmp_path / f"{name}.jsonl"
        file.write_bytes(content)
        assert can_mend(file) and read_row(file, 2) == rows[1]
        assert put_line(file, 2, "") == rows[1] and read_row(file, 2) == ""
        replace_row(file, 2, mended)
        kept = read_file(file)
        assert [row.value.get("prompt") for row in kept.rows][1:] == ["mended", "b"]
        assert (b"Gr\xff" in file.read_bytes()) == (name == "bytes") and "\ufffd".encode() not in file.read_bytes()
        assert kept.rows[0].value.get("prompt") == ("Größe?" if name != "bytes" else None)
    with pytest.raises(BadDataset, match="could not be read"):
        replace_row(file, 1, read_row(file, 1))
    for name, text in {"list": f"[{rows[0]},\n{rows[2]}]", "object": json.dumps({"a": "b"}, indent=1)}.items():
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
        assert not can_mend(tmp_path / f"{name}.jsonl")


def test_a_row_left_out_comes_back_with_undo(ready: FinetunePage, project: Project, bench: Bench) -> None:
    said: list[Any] = []
    bench.notices.attach(said.append)
    copy = project.datasets_folder / "tickets.jsonl"
    before = copy.read_text()
    ready.intake.leave_out(REPORT.problems[1])
    assert read_row(copy, 3) == "" and len(copy.read_text().split("\n")) == len(before.split("\n"))
    said[-1].action()
    assert copy.read_text() == before


def test_no_time_is_claimed_before_a_speed_is_known(ready: FinetunePage) -> None:
    assert "not measured" in ready.recipe.cards["balanced"].accessibleName()
    assert ready._recipe is not None
    dry_run.keep(ready._recipe, REPORT, MEASURED)
    ready._show_recipe()
    assert ready.recipe.cards["balanced"].accessibleName() == "Balanced, about 7 min, 2 passes, 1.9 GB RAM"
    assert ready.recipe.source.text().startswith("Measured here by a dry run on 20 Nov, 21:14. Free memory: ")
    assert ready.run.left.accessibleName() == "about 7 minutes of training"
    assert not ready.recipe.short.isVisible() and ready.recipe.measure.text() == "Measure again"


def test_what_other_rows_took_is_said_to_be_an_estimate(ready: FinetunePage) -> None:
    assert ready._recipe is not None
    dry_run.keep(ready._recipe, replace(REPORT, examples=50, tokens=5_000), replace(MEASURED, others=1.5))
    ready._show_recipe()
    assert ready.recipe.source.text().startswith("Estimated from what other rows took on this computer.")
    assert not ready.measuring.measured
    dry_run.keep(ready._recipe, REPORT, replace(MEASURED, others=1.5))
    ready._show_recipe()
    assert "Other programs were busy then" in ready.recipe.source.text() and ready.measuring.measured


def test_where_memory_lacks_what_would_fit_is_one_click_away(
    ready: FinetunePage, bench: Bench, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    assert ready._recipe is not None
    dry_run.keep(ready._recipe, REPORT, replace(MEASURED, longest=300))
    monkeypatch.setattr(memory, "free", lambda here=True: 1_400_000_000)
    ready._show_recipe()
    assert ready.recipe.short.text() == (
        "This takes 1.9 GB of memory and 1.4 GB are free. With 640 tokens at once it takes 1.3 GB."
    )
    qtbot.mouseClick(ready.recipe.fit, Qt.MouseButton.LeftButton)
    assert ready._recipe.tokens_at_once == 640 and not ready.recipe.short.isVisible()
    assert ready.recipe.source.text().startswith("Your own settings: 2 passes, rank 16, 640 tokens at once, 1.3 GB")

    # Not even the least fits: a smaller model is what is left.
    opened: list[str] = []
    bench.page_requested.connect(lambda name, what: opened.append(name))
    monkeypatch.setattr(memory, "free", lambda here=True: 800_000_000)
    ready._show_recipe()
    assert "No setting makes it fit" in ready.recipe.short.text()
    qtbot.mouseClick(ready.recipe.fit, Qt.MouseButton.LeftButton)
    assert opened == ["models"]


def test_memory_that_does_not_suffice_for_a_dry_run_is_said_on_the_page(
    ready: FinetunePage, bench: Bench, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    def refuse(recipe: object, report: object, anew: bool = False) -> Stage:
        raise TooLittleMemory("Training starter.gguf needs about 0.8 GB.")
        yield

    monkeypatch.setattr(dry_run, "dry_run", refuse)
    qtbot.mouseClick(ready.recipe.measure, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(ready.recipe.short.isVisible)
    assert ready.recipe.short.text() == "Training starter.gguf needs about 0.8 GB."
    assert ready.recipe.fit.text() == "Choose a smaller model"


def test_a_preset_and_own_settings_change_the_recipe(ready: FinetunePage, bench: Bench, qtbot: QtBot) -> None:
    qtbot.mouseClick(ready.recipe.cards["thorough"], Qt.MouseButton.LeftButton)
    assert ready._recipe is not None and ready._recipe.epochs == 4.0
    assert [key for key, card in ready.recipe.cards.items() if card.isChecked()] == ["thorough"]
    sheet = RecipeSheet(ready._recipe)
    qtbot.addWidget(sheet)
    sheet.applied.connect(ready._on_recipe)
    assert sheet._fields["patience"]() == 2
    sheet._fields["rank"] = lambda: 8
    sheet._on_use_clicked()
    assert not any(card.isChecked() for card in ready.recipe.cards.values())
    assert ready.recipe.source.text().startswith("Your own settings: 4 passes, rank 8.")


def test_layers_matrices_and_warm_up_are_settings_too_and_a_row_is_no_longer_than_the_model_reads(
    ready: FinetunePage, bench: Bench, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    assert ready._recipe is not None
    monkeypatch.setattr(finetune_settings, "read_base", lambda model: SimpleNamespace(layers=30))
    sheet = RecipeSheet(replace(ready._recipe, layers=tuple(range(18, 27))))
    qtbot.addWidget(sheet)
    named = {each.accessibleName(): each for each in sheet.findChildren(QWidget) if each.accessibleName()}
    named["Layers"].setValue(10)
    assert sheet._fields["layers"]() == tuple(range(17, 27))
    sheet = RecipeSheet(replace(ready._recipe, layers=tuple(range(18, 30)), targets=("q_proj", "v_proj")))
    qtbot.addWidget(sheet)
    named = {each.accessibleName(): each for each in sheet.findChildren(QWidget) if each.accessibleName()}
    assert named["Layers"].value() == 12 and named["Matrices"].currentText() == "2 of them"
    named["Layers"].setValue(30)
    named["Matrices"].setCurrentIndex(1)
    named["Warm-up"].setValue(0.2)
    applied: list[Recipe] = []
    sheet.applied.connect(applied.append)
    sheet._on_use_clicked()
    assert applied[0].layers == tuple(range(30)) and applied[0].warmup == 0.2
    assert applied[0].targets == ("q_proj", "k_proj", "v_proj", "o_proj")

    said: list[str] = []
    bench.notices.attach(lambda notice: said.append(notice.message))
    monkeypatch.setattr("workbench.tuning.fields.context_of", lambda model: 512)
    ready._on_recipe(replace(applied[0], max_tokens=2048))
    assert ready._recipe.max_tokens == 512 and "set to 512 tokens in place of 2,048" in said[0]


def test_the_halves_of_the_page_are_as_they_were_left(ready: FinetunePage, bench: Bench, qtbot: QtBot) -> None:
    ready.split.moveSplitter(500, 1)
    qtbot.waitUntil(lambda: bench.recall("finetune_left") is not None, timeout=20_000)
    again = FinetunePage(bench)
    qtbot.addWidget(again)
    again.resize(ready.size())
    again.show()
    assert abs(again.split.sizes()[0] - ready.split.sizes()[0]) < 12
    assert again.split.sizes()[0] > 440


def test_a_run_is_watched_and_compared_when_done(
    ready: FinetunePage, trainer: Trainer, bench: Bench, qtbot: QtBot
) -> None:
    opened: list[Any] = []
    bench.page_requested.connect(lambda name, what: opened.append((name, what)))
    qtbot.mouseClick(ready.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: ready.run.course.step == 9)
    assert ready.stop.isVisible() and not ready.start.isVisible()
    assert ready.run.course.seconds_left == pytest.approx(258.0)
    assert ready.run.samples.questions == ("Hum",)
    with qtbot.waitSignal(bench.adapters_changed):
        trainer.go.set()
    assert trainer.started[0].folder == bench.project.adapters_folder / "tickets"
    assert ready.compare.isVisible()
    qtbot.mouseClick(ready.compare, Qt.MouseButton.LeftButton)
    name, what = opened[-1]
    assert name == "compare" and what["lanes"] == ["base", "tuned:tickets"] and what["question"]


def test_stopping_stops_the_run_itself_and_keeps_it(
    ready: FinetunePage, trainer: Trainer, bench: Bench, qtbot: QtBot
) -> None:
    ready.start.click()
    qtbot.waitUntil(lambda: ready.run.course.step == 9)
    with qtbot.waitSignal(bench.adapters_changed):
        qtbot.mouseClick(ready.stop, Qt.MouseButton.LeftButton)
    assert trainer.stopped == [bench.project.adapters_folder / "tickets"]
    assert ready.resume.isVisible() and not ready.compare.isVisible()


def test_closing_the_window_leaves_the_run_alone(
    ready: FinetunePage, trainer: Trainer, bench: Bench, qtbot: QtBot
) -> None:
    ready.start.click()
    qtbot.waitUntil(lambda: ready.run.course.step == 9)
    bench.close()
    assert trainer.stopped == []


def test_a_name_that_is_taken_is_refused(ready: FinetunePage, project: Project, bench: Bench, trainer: Trainer) -> None:
    said: list[Any] = []
    bench.notices.attach(said.append)
    make_run(project, "tickets", state="done")
    ready.read_runs()
    ready.start.click()
    assert not trainer.started and "There is a fine-tune named tickets already" in said[-1].message
    assert (
        source.free_name("tickets", {"tickets", "tickets-v2"}) == "tickets-v3"
        and source.clean_name(" a/b c ") == "a-b-c"
    )


def test_earlier_runs_are_listed_noted_and_shown(
    bench: Bench, trainer: Trainer, project: Project, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(project)
    make_run(project, "tickets-v1", 92, 92, "done")
    monkeypatch.setattr(source, "stale_adapters", lambda project: {"tickets-v1": ("returns.md", "prices.csv")})
    page = FinetunePage(bench)
    qtbot.addWidget(page)
    page.show()
    sheets: list[Any] = []
    bench.sheet_requested.connect(sheets.append)
    page.runs.show_all()
    sheet = sheets[0]
    assert isinstance(sheet, RunsSheet)
    qtbot.addWidget(sheet)
    row = next(each for each in sheet.rows if each.accessibleName() == "tickets-v1" or "92 of 92" in _texts(each))
    qtbot.waitUntil(lambda: row.stale.text() == "Stale: 2 documents were changed since, such as returns.md")
    assert [each.stale.isVisibleTo(sheet) for each in sheet.rows].count(True) == 1
    row.note.setText("good on tickets")
    row.note.editingFinished.emit()
    assert next(run for run in source.list_runs(project) if run.name == "tickets-v1").note.strip() == "good on tickets"
    page.shown(run="tickets-v2")
    assert page.run.course.step == 92 and page.resume.isVisible()
    assert set(page.run.course.samples) == {0, 30, 60, 90}
    qtbot.mouseClick(page.new, Qt.MouseButton.LeftButton)
    assert page.start.isVisible()


def _texts(widget: Any) -> str:
    from PySide6.QtWidgets import QLabel

    return " ".join(each.text() for each in widget.findChildren(QLabel))


def test_answers_are_judged_as_json_or_as_words() -> None:
    wanted = '{"a": 1, "b": "x"}'
    said = {
        answer: judge(Sample("q", wanted, answer)).reason
        for answer in (wanted, '{"b":"x","a":1}', '{"a": 1', "no", '{"a": 2, "b": "x"}', '{"a": 1}')
    }
    assert list(said.values()) == [
        "Same as expected",
        "Same as expected",
        "Cut off, not JSON",
        "Not JSON",
        "a should be 1",
        "b is missing",
    ]
    assert judge(Sample("q", "Two  years", "two years")).same


def test_estimates_follow_tokens_passes_and_speed() -> None:
    choices = make_choices("x", starter_model(), (Path("rows.jsonl"),), Path("f"), REPORT)
    quick, balanced, thorough = (choices.recipes[key] for key in KEYS)
    renamed = replace(balanced, name="y", folder=Path("g"))
    assert choices.key_of(renamed) == "balanced" and choices.key_of(replace(balanced, rank=5)) == ""
    times = [estimate_seconds(REPORT, each, Speed(300.0)) for each in (quick, balanced, thorough)]
    assert 0 < times[0] <= times[1] < times[2]
    assert step_count(REPORT, thorough) == round(46 * thorough.epochs)
    assert pass_marks(RunCourse(total=92, epochs=2.0)) == ((46, "46, pass 1"), (92, "92, pass 2"))


def test_a_copy_of_another_file_of_the_same_name_gets_its_own(tmp_path: Path) -> None:
    for folder, text in (("one", "a"), ("two", "b")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rows.jsonl").write_text(text)
    first = take_in(tmp_path / "one" / "rows.jsonl", tmp_path / "kept")
    assert take_in(tmp_path / "one" / "rows.jsonl", tmp_path / "kept") == first == take_in(first, tmp_path / "kept")
    assert take_in(tmp_path / "two" / "rows.jsonl", tmp_path / "kept").name == "rows-2.jsonl"
    with pytest.raises(BadDataset, match="in braces"):
        replace_row(first, 1, "[1]")


def test_a_run_that_goes_on_elsewhere_is_watched_when_shown(
    page: FinetunePage, project: Project, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    folder = make_run(project, "elsewhere", 3, 138, "stopped")
    watched: list[Path] = []

    def watch(folder: Path) -> Stage:
        watched.append(folder)
        yield Step(4, 138, 0.5, None, 268.0, 8.0)

    monkeypatch.setattr(source, "watch", watch)
    run = replace(source.list_runs(project)[0], state="running")
    page.show_run(run)
    qtbot.waitUntil(lambda: watched == [folder] and not page.watch.busy)
    assert page.resume.isVisible(), "it ended meanwhile, and its folder says how"
