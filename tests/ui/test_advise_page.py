"""The Advise page: the verdict and what it rests on, the questionnaire until there is one, prices, what to try next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_up_project import make_evaluation, make_suite
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from workbench.advice.facts import Facts
from workbench.advice.questionnaire import RULES, SYMPTOMS
from workbench.project import Project
from workbench.ui.advise_money import PricesSheet, duration, money
from workbench.ui.advise_page import AdvisePage
from workbench.ui.advise_questions import Questionnaire, QuestionnaireSheet
from workbench.ui.bench import Bench


@pytest.fixture
def measured(project: Project) -> Project:
    make_evaluation(project, make_suite(project, copies=3), "run", "2026-11-20T21:00:00")
    return project


@pytest.fixture
def page(bench: Bench, measured: Project, qtbot: QtBot) -> AdvisePage:
    made = AdvisePage(bench)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    qtbot.waitUntil(lambda: made.advice is not None, timeout=20_000)
    return made


def test_until_something_is_measured_five_questions_stand_there(bench: Bench, qtbot: QtBot) -> None:
    page = AdvisePage(bench)
    qtbot.addWidget(page)
    page.show()
    assert page.stack.currentIndex() == 0 and not page.save.isVisible()
    questions = page.start_questions
    for key, option in (("change", "often"), ("citations", "yes"), ("task", "broad")):
        button = next(each for each in questions.groups[key].buttons() if each.property("option") == option)
        button.click()
    assert questions.headline.text() == "The guides would start with your documents."
    assert bench.recall("questionnaire") == {"change": "often", "citations": "yes", "task": "broad"}
    opened: list[str] = []
    bench.page_requested.connect(lambda name, what: opened.append(name))
    page.to_evaluate.click()
    assert opened == ["evaluate"]


def test_answers_of_another_version_are_ignored(bench: Bench, qtbot: QtBot) -> None:
    asked = Questionnaire({"colour": "blue", "task": "square"})
    qtbot.addWidget(asked)
    assert asked.suggestion.recommendation == "cannot-tell"


def test_symptoms_and_rules_of_thumb_stand_beside_the_questions(bench: Bench, qtbot: QtBot) -> None:
    sheet = QuestionnaireSheet({})
    qtbot.addWidget(sheet)
    said = {label.text() for label in sheet.findChildren(QLabel)}
    assert "Wrong tone: a system prompt with a style guide; then fine-tune on examples of the tone" in said
    assert "Unsure: prompt first" in said and len([each for each in said if ": " in each]) >= len(SYMPTOMS) + len(RULES)


def test_panels_stand_below_each_other_where_side_by_side_they_would_be_cut(page: AdvisePage, qtbot: QtBot) -> None:
    page.resize(1600, 900)
    qtbot.waitUntil(lambda: page._columns == 2)
    page.failures.setMinimumWidth(1200)
    page._fit_panels()
    assert page._columns == 1


def test_the_verdict_is_one_sentence_with_its_effects(page: AdvisePage) -> None:
    assert page.advice is not None
    assert page.head.headline.text() == page.advice.verdict.headline == "Use your documents and the fine-tune together."
    assert "Documents:" in page.effects.chart.accessibleDescription()
    assert "Base against itself" in page.effects.noise.text()
    assert page.failures.title.text().startswith("Why ")
    assert page.save.isVisible()
    assert not page.grab().isNull()


def test_what_so_few_questions_show_what_is_stale_and_what_the_guides_say_stand_beside(
    page: AdvisePage, bench: Bench
) -> None:
    def signs() -> list[str]:
        return [each.text() for each in page.head.signs.findChildren(QLabel) if not each.isHidden()]

    assert page.head.scope.isVisible() and page.head.scope.text().startswith("48 questions show a difference")
    assert page.advice is not None and not any("Stale" in each or "guides" in each for each in signs())
    answers = {"change": "often", "citations": "yes", "latency": "relaxed", "colour": "blue"}
    bench.remember(questionnaire=answers)
    page.show_advice(replace(page.advice, stale={"tickets-v2": ("returns.md",)}, facts=Facts(examples=40)))
    assert "Stale: tickets-v2 was trained before returns.md was changed" in signs()
    assert any(
        "They disagree: measured on your own data, it is documents and the fine-tune" in each for each in signs()
    )


def test_panels_stand_under_each_other_where_room_is_short(page: AdvisePage, qtbot: QtBot) -> None:
    assert page._columns == 2
    page.resize(760, 800)
    qtbot.waitUntil(lambda: page._columns == 1)


def test_prices_are_a_persons_own_and_kept(page: AdvisePage, bench: Bench, qtbot: QtBot) -> None:
    assert "No prices are set yet" in page.costs.note.text()
    assert not page.even.chart.isVisible()
    shown: list[Any] = []
    bench.sheet_requested.connect(shown.append)
    qtbot.mouseClick(page.costs.prices, Qt.MouseButton.LeftButton)
    sheet = shown[0]
    assert isinstance(sheet, PricesSheet)
    qtbot.addWidget(sheet)
    for key, value in (("person_hour", 35), ("minutes_per_mistake", 2), ("hours_of_examples", 4)):
        sheet.boxes[key].setValue(value)
    assert bench.recall("assumptions")["person_hour"] == 35
    assert page.even.chart.isVisible() and page.even.title.text().startswith("Pays for itself after about")
    before = page.costs.elsewhere.text()
    assert "Rented GPU: $" in before and "Hosted API: $" in before
    sheet.published["gpu_host"].setValue(10)
    assert bench.recall("prices") == {"gpu_host": 10.0} and page.costs.elsewhere.text() != before
    sheet.published["gpu_host"].setValue(600)
    assert bench.recall("prices") == {} and page.costs.elsewhere.text() == before


def test_each_reason_opens_where_it_is_mended(page: AdvisePage, bench: Bench) -> None:
    opened: list[tuple[str, dict[str, Any]]] = []
    bench.page_requested.connect(lambda name, what: opened.append((name, what)))
    lane = "rag+tuned:tickets-v2"
    for reason in ("not-indexed", "not-retrieved", "wrong-format", "ignored"):
        page._on_next(reason, lane)
    assert [name for name, _ in opened] == ["documents", "documents", "finetune", "evaluate"]
    assert opened[0][1] == {"state": "skipped"} and opened[3][1]["show"] == "failures"


def test_the_dossier_is_one_file(page: AdvisePage, bench: Bench, tmp_path: Path, qtbot: QtBot) -> None:
    said: list[str] = []
    bench.notices.attach(lambda notice: said.append(notice.message))
    page.save_dossier(tmp_path / "dossier.html")
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert said == [f"Written: {tmp_path / 'dossier.html'}"]
    assert "Use your documents and the fine-tune together." in (tmp_path / "dossier.html").read_text(encoding="utf-8")


def test_times_and_amounts_are_written_without_false_precision() -> None:
    assert [duration(each) for each in (0, 0.2, 40, 360, 9000)] == ["none", "under 1 s", "40 s", "6 min", "2.5 h"]
    assert [money(each, "€") for each in (0, 0.004, 1.5, 1234)] == ["\N{EN DASH}", "under €0.01", "€1.50", "€1,234"]
