"""Another embedder is chosen on the Documents page: what it costs is said first, and what is not here is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from workbench.catalog.models import import_model, remove_model
from workbench.index.files import choose_embedder_of, cutting_of, embedder_of
from workbench.project import Project
from workbench.ui import documents_source as source
from workbench.ui.bench import Bench
from workbench.ui.documents_rows import FileRow
from workbench.ui.documents_settings import CutSettingsDialog
from workbench.ui.models_page import ModelsPage

sys.path.insert(0, str(Path(__file__).parent.parent / "catalog"))
import embedder_files

ROWS = [FileRow("a.md", "/docs", "indexed", 10, "Markdown", 1.0), FileRow("b.md", "/docs", "indexed", 4, "Text", 1.0)]


@pytest.fixture
def own(project: Project, tmp_path: Path) -> str:
    """An embedder that reads 96 tokens, taken in."""
    told = {"sentence_bert_config": {"max_seq_length": 96}}
    return import_model(embedder_files.write(tmp_path / "Own & small", embedder_files.files(**told))).name


def opened(project: Project, qtbot: QtBot) -> CutSettingsDialog:
    dialog = CutSettingsDialog(project, ROWS)
    qtbot.addWidget(dialog)
    return dialog


def test_another_embedder_is_chosen_on_the_button_that_says_the_cost(project: Project, own: str, qtbot: QtBot) -> None:
    dialog = opened(project, qtbot)
    box = dialog.embedder_box
    assert [box.itemText(place) for place in range(box.count())] == ["all-MiniLM-L6-v2", "Own & small"]
    assert (box.currentData(), dialog.size_box.maximum(), dialog.apply.isEnabled()) == ("minilm-l6", 240, False)
    box.setCurrentIndex(1)
    assert dialog.size_box.maximum() == 80 == dialog.size_box.value()  # what it reads, less what stands beside the text
    assert dialog.apply.text() == "Read 2 files again" and "two embedders cannot be compared" in dialog.cost.text()
    assert embedder_of(project) == "minilm-l6"
    dialog.apply.click()
    assert (embedder_of(project), cutting_of(project).size) == (own, 80)
    assert "found by meaning (Own & small)" in source.settings_line(project)


def test_one_that_is_gone_is_named_and_another_one_can_take_its_place(project: Project, own: str, qtbot: QtBot) -> None:
    choose_embedder_of(project, own)
    remove_model(own)
    assert "own-small, which is not here" in source.settings_line(project)
    dialog = opened(project, qtbot)
    assert dialog.embedder_box.currentText() == "own-small (not here)" and not dialog.apply.isEnabled()
    dialog.embedder_box.setCurrentIndex(0)
    assert dialog.apply.isEnabled()
    dialog.apply.click()
    assert embedder_of(project) == "minilm-l6"


def test_the_models_page_says_which_embedder_the_documents_are_read_with(bench: Bench, own: str, qtbot: QtBot) -> None:
    page = ModelsPage(bench)
    qtbot.addWidget(page)
    used = {name for name, row in page.rows.items() if row.state.text() == "Used in this project"}
    assert used == {"smollm2-135m", "minilm-l6"}
    choose_embedder_of(bench.project, own)
    bench.project.change(chat_model="smollm2-135m")
    page.reload()
    assert page.rows[own].state.text() == "Used in this project" and page.rows["minilm-l6"].state.text() == "Here"
    page.remove(page.rows[own].model)
    assert own not in page.rows and bench.project.info.chat_model == "smollm2-135m"  # the chat model stays as it was
