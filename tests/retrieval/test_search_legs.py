from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.children import Here
from workbench.errors import InputError, MissingFile
from workbench.events import Progress, Result, last_result
from workbench.index import build as build_module
from workbench.index.build import build
from workbench.index.keywords import Keywords
from workbench.index.wording import any_of, question_words, telling
from workbench.lanes.material import whole_documents
from workbench.retrieval.fusion import fuse
from workbench.retrieval.narrow import Only
from workbench.retrieval.passage import Passage, SearchResult
from workbench.retrieval.relevance import fits
from workbench.retrieval.search import search, warm, whole

TEXTS = {
    "returns.md": "# Returns\n\n## Private customers\n\nAn unused instrument may come back within 24 days.\n",
    "codes.md": "# Faults\n\nError QX-7731 means the sensor cable is loose.\n\nError QX-7732 means a flat battery.\n",
    "garden.md": "# Garden\n\nTomatoes like warm soil and much light. Water them at the root.\n",
    "copy.txt": "An unused instrument may come back within 24 days.\n",
    "prices.csv": "item,price in euro\nkettle,29\ntoaster,34\n",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("documents")
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    made = tmp_path_factory.mktemp("project")
    last_result(build(made, (folder,)))
    yield made


def ask(project: Path, question: str, k: int = 3) -> SearchResult:
    result = last_result(search(project, (question,), k))
    assert isinstance(result, SearchResult)
    return result


def test_a_question_finds_the_passage_by_meaning_and_says_why(project: Path) -> None:
    found = ask(project, "How long can a buyer send back what was ordered?")
    best = found.passages[0]
    assert "24 days" in best.text and best.vector_rank in (1, 2)  # the same words stand in two files
    assert best.similarity is not None and 0.1 < best.similarity < 1
    assert Path(best.folder, best.file).exists()
    assert found.seconds > 0
    scores = [each.score for each in found.passages]
    assert scores == sorted(scores, reverse=True)


def test_an_exact_code_is_found_by_its_words(project: Path) -> None:
    best = ask(project, "QX-7732").passages[0]
    assert best.keyword_rank == 1 and "battery" in best.text


def test_a_row_answers_with_its_header(project: Path) -> None:
    best = ask(project, "price of the kettle").passages[0]
    assert best.file == "prices.csv" and best.location == "rows 2-3"
    assert "item: kettle; price in euro: 29" in best.text


def test_text_that_stands_twice_comes_once(project: Path) -> None:
    passages = ask(project, "unused instrument within 24 days", k=5).passages
    assert len([each for each in passages if "24 days" in each.text and each.file == "copy.txt"]) + len(
        [each for each in passages if each.file == "returns.md"]
    ) in (1, 2)
    texts = [each.text for each in passages]
    assert len(texts) == len(set(texts))


def test_every_question_of_a_batch_gets_its_own_result(project: Path) -> None:
    questions = ("tomatoes", "battery flat", "toaster")
    events = list(search(project, questions, 2))
    results = [event.value for event in events if isinstance(event, Result)]
    assert tuple(each.question for each in results) == questions
    assert [each.passages[0].file for each in results] == ["garden.md", "codes.md", "prices.csv"]
    assert any(isinstance(event, Progress) for event in events)


@pytest.mark.parametrize(
    "question",
    [
        "",
        " ",
        '"',
        "' OR 1=1 --",
        "NEAR(a b)",
        "a* AND ^b",
        "{x}: -y",
        "\x00\x01",
        "the of and",
        "🙂",
        "名前",
        "x" * 20_000,
    ]
    + ["(" * 500, "col:umn", "\ud800", "a\nb\tc", "NOT"],
)
def test_any_text_is_a_safe_question(project: Path, question: str) -> None:
    assert isinstance(ask(project, question), SearchResult)


def test_function_words_are_left_out_of_the_words_query() -> None:
    assert any_of(question_words("What is the price of a kettle?")) == '"price" OR "kettle"'
    assert any_of(question_words("What is it?")) == '"what" OR "is" OR "it"'
    assert any_of(question_words("error QX-7731")) == '"error" OR "qx 7731" OR "qx" OR "7731"'
    assert any_of(question_words("?!")) == ""


def test_what_most_chunks_hold_is_looked_for_only_where_nothing_rarer_is() -> None:
    held = {"rare": 3, "some": 40, "often": 900, "never": 0}
    words = ["often", "rare", "never", "some"]

    def holders(word: str, limit: int) -> int:
        return min(held[word], limit)

    assert telling(words, holders, 2000) == ["often", "rare", "some"]
    assert telling(words, holders, 100) == ["rare", "some"]
    assert telling(words, holders, 2) == ["rare"]
    assert telling(["often"], holders, 100) == ["often"]
    assert telling(["never"], holders, 100) == []


def test_a_big_index_is_searched_by_its_rarer_words(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.index.keywords.SCORED", 1)
    with Keywords(project / "index") as keywords:
        (first, *_), *others = keywords.search("the battery of an error", 5)
        found = keywords.chunks_by_id([first])
        assert "battery" in found[first][0].text and others == []
        assert keywords.search("nowhere", 5) == []


def test_ranks_are_fused_by_their_reciprocals() -> None:
    found = fuse([("a", 0.9), ("b", 0.8)], ["b", "c"], constant=60, weight=1.5)
    assert [each.id for each in found] == ["b", "c", "a"]
    assert found[0].score == pytest.approx(1 / 62 + 1.5 / 61)
    assert (found[1].vector_rank, found[1].keyword_rank, found[1].similarity) == (None, 2, None)


def test_the_best_of_one_leg_comes_before_what_is_middling_in_both() -> None:
    near = [(f"near{rank}", 0.9 - rank / 100) for rank in range(10)]
    word = [f"word{rank}" for rank in range(10)]
    found = fuse([*near, ("both", 0.5)], [*word, "both"])
    assert {each.id for each in found[:2]} == {"near0", "word0"}


def test_a_question_that_no_document_is_about_is_told_so(project: Path) -> None:
    far = ask(project, "Who won the chess olympiad in 1972?")
    assert not far.fits and far.passages  # the nearest are shown all the same
    assert ask(project, "How long can a buyer send back what was ordered?").fits
    assert ask(project, "QX-7732").fits


def test_the_words_of_a_question_in_one_passage_are_enough_to_be_about_it() -> None:
    assert fits("Halloran and Sons", 0.1, ["ring halloran and sons", "other words"])
    assert fits("shipping pianos", 0.1, ["of shipped and shippers", "the shipping of a piano"])
    assert not fits("price of the wine", 0.1, ["the price of bread", "wine"])
    assert not fits("of the", 0.1, ["of the"]) and not fits("", 0.1, [])
    assert fits("anything", None, []) and fits("anything", 0.3, [])


def test_before_anything_is_indexed_the_way_out_is_named(tmp_path: Path) -> None:
    for stage in (search(tmp_path / "p", ("x",), 3), whole(tmp_path / "p", (("", "x"),))):
        with pytest.raises(InputError, match="Nothing is indexed yet"):
            last_result(stage)
    with pytest.raises(InputError, match="from 1 on"):
        last_result(search(tmp_path, ("x",), 0))


def test_whole_documents_come_as_passages(project: Path) -> None:
    results = [event.value for event in whole(project, (("", "garden.md"), ("", "codes.md")))]
    assert all(isinstance(each, Passage) for each in results)
    assert [each.text for each in results] == [TEXTS["garden.md"].strip(), TEXTS["codes.md"].strip()]
    with pytest.raises(MissingFile, match=r"nothing\.md"):
        last_result(whole(project, (("", "nothing.md"),)))


def test_files_of_the_same_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    folders = (tmp_path / "a", tmp_path / "b")
    for folder in folders:
        folder.mkdir()
        (folder / "notes.md").write_text(f"The ferry of {folder.name} leaves the pier at noon.")
    last_result(build(tmp_path / "p", folders))
    passage = Passage("x", "notes.md", "", "", 1.0, folder=str(folders[1]))
    steps = whole_documents((passage,), 1, tmp_path / "p", Here())
    while True:
        try:
            next(steps)
        except StopIteration as done:
            [document] = done.value
            break
    assert "ferry of b" in document.text and document.folder == str(folders[1])


def test_a_search_is_kept_to_some_of_the_files(tmp_path: Path) -> None:
    folders = (tmp_path / "one", tmp_path / "two")
    for folder in folders:
        (folder / "Notes").mkdir(parents=True)
        (folder / "Notes" / "ferry.md").write_text(f"The ferry of {folder.name} leaves the pier at noon.")
    (folders[0] / "ferry.txt").write_text("The ferry in the text file leaves the pier at nine.")
    (folders[0] / "old.md").write_text("The old ferry left the pier at dawn.")
    os.utime(folders[0] / "old.md", (1_000_000_000, 1_000_000_000))
    made = tmp_path / "project"
    last_result(build(made, folders))

    def found(**only: Any) -> set[tuple[str, str]]:
        result = last_result(search(made, ("When does the ferry leave the pier?",), 9, Only(**only)))
        assert all(each.vector_rank and each.keyword_rank for each in result.passages)
        return {(Path(each.folder).name, each.file) for each in result.passages}

    everywhere = {("one", "Notes/ferry.md"), ("two", "Notes/ferry.md"), ("one", "ferry.txt"), ("one", "old.md")}
    assert found() == everywhere
    assert found(types=("TXT",)) == {("one", "ferry.txt")}
    assert found(places=("notes",)) == {("one", "Notes/ferry.md"), ("two", "Notes/ferry.md")}
    assert found(places=("*.md",), since=1_500_000_000) == {("one", "Notes/ferry.md"), ("two", "Notes/ferry.md")}
    assert found(places=("note", "old.md")) == {("one", "old.md")}
    with pytest.raises(InputError, match="leave the filter out"):
        found(types=("pdf",))


OTHER = """
import sys
from pathlib import Path
from workbench.events import last_result
from workbench.index.build import build
if __name__ == "__main__":
    last_result(build(Path(sys.argv[1]), (Path(sys.argv[2]),)))
"""


@pytest.mark.slow
def test_what_another_process_indexed_is_found(tmp_path: Path) -> None:
    folder, project = tmp_path / "documents", tmp_path / "project"
    folder.mkdir()
    (folder / "a.md").write_text("Tomatoes like warm soil.")
    last_result(build(project, (folder,)))
    assert len(ask(project, "tomatoes").passages) == 1
    (folder / "b.md").write_text("The lighthouse keeper counts the ships at dusk.")
    script = tmp_path / "other.py"
    script.write_text(OTHER)
    root = str(Path(build_module.__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    subprocess.run([sys.executable, str(script), str(project), str(folder)], check=True, env=environment, timeout=200)
    best = ask(project, "Who watches boats in the evening?").passages[0]
    assert best.file == "b.md" and best.vector_rank == 1
    (folder / "a.md").unlink()
    last_result(build(project, (folder,)))
    assert [each.file for each in ask(project, "tomatoes").passages] == ["b.md"]


def test_a_search_is_answered_while_a_folder_is_indexed(tmp_path: Path) -> None:
    folder, project = tmp_path / "documents", tmp_path / "project"
    folder.mkdir()
    (folder / "a.md").write_text("Tomatoes like warm soil.")
    last_result(build(project, (folder,)))
    for number in range(6):
        (folder / f"n{number}.md").write_text(f"Note {number}. " + f"The lighthouse number {number} stands. " * 30)
    answered = 0
    for event in build(project, (folder,)):
        if isinstance(event, Progress) and event.total:
            assert ask(project, "tomatoes soil").passages[0].file == "a.md"
            answered += 1
    assert answered
    assert ask(project, "lighthouse").passages[0].file.startswith("n")


def test_loading_ahead_ends_with_the_embedder_and_the_index_open(project: Path, tmp_path: Path) -> None:
    from workbench.index.embed import open_embedder
    from workbench.index.store import _open

    _open.clear()
    events = list(warm(project))
    assert [type(event) for event in events[-1:]] == [Result] and not any(
        isinstance(event, Result) for event in events[:-1]
    )
    assert open_embedder().loaded and list(_open) == [project / "index" / "chroma"]
    assert [type(event) for event in warm(tmp_path / "nothing")] == [Result]
