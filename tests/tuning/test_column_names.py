"""Columns of a person's own names are read as they say, guessed only to be looked at, and part of the recipe."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tuning.tiny import byte_tokenizer, write_lines
from workbench import records
from workbench.errors import BadDataset, InputError
from workbench.evaluation.guard import read_rows
from workbench.events import Result
from workbench.tuning.checkpoint import recipe_key
from workbench.tuning.columns import Columns, Preview, guess, look, parse_columns
from workbench.tuning.dataset import Dataset, read_dataset
from workbench.tuning.recipe import Recipe, read_recipe

GERMAN = Columns("Frage", "Antwort")
ROWS = [{"Nr": str(n), "Frage": f"Wie viel ist {n}; und {n}?", "Antwort": f"{2 * n}", "Art": "Zahl"} for n in range(3)]


def table(path: Path, separator: str) -> Path:
    quoted = [[f'"{cell}"' for cell in row.values()] for row in ROWS]
    path.write_text("\n".join(separator.join(cells) for cells in [list(ROWS[0]), *quoted]), encoding="utf-8")
    return path


def read(path: Path, columns: Columns | None) -> Dataset:
    *_, found = read_dataset((path,), byte_tokenizer(), columns=(columns,))
    assert isinstance(found, Dataset)
    return found


def looked(*files: Path) -> Preview | None:
    *_, last = look(files)
    assert isinstance(last, Result)
    found: Preview | None = last.value
    return found


def odd_files(folder: Path) -> list[Path]:
    import pyarrow
    import pyarrow.parquet

    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "rows.parquet")
    return [
        table(folder / "semicolons.csv", ";"),
        table(folder / "commas.csv", ","),
        table(folder / "rows.tsv", "\t"),
        write_lines(folder / "rows.jsonl", *ROWS),
        write_lines(folder / "rows.json", json.dumps(ROWS)),
        write_lines(folder / "columns.json", json.dumps(columns)),
        folder / "rows.parquet",
    ]


def test_every_container_is_refused_with_its_columns_and_read_once_they_are_named(tmp_path: Path) -> None:
    for path in odd_files(tmp_path):
        if path.name != "columns.json":  # one object with lists: nothing says that it is a table
            with pytest.raises(BadDataset, match=r"its columns are Nr, Frage, Antwort, Art.* --columns question="):
                read(path, None)
        found = read(path, GERMAN)
        assert found.format.startswith("columns question=Frage,answer=Antwort (") and found.problems == ()
        assert [each.messages for each in found.examples] == [
            (("user", row["Frage"]), ("assistant", row["Antwort"])) for row in ROWS
        ]
        preview = looked(path)
        assert preview is not None and preview.names == tuple(ROWS[0]) and preview.guess == ("Frage", "Antwort")
        assert preview.rows[1] == tuple(ROWS[1].values())


def test_a_column_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    for path in odd_files(tmp_path):
        with pytest.raises(BadDataset, match=r"no column 'Anwort'. Its columns are: Nr, Frage, Antwort, Art\."):
            read(path, Columns("Frage", "Anwort"))


def test_a_system_prompt_and_a_text_to_read_are_columns_too(tmp_path: Path) -> None:
    rows = [{"Q": "Who?", "A": "Ann", "S": "Be brief.", "T": "Ann runs."}, {"Q": "Why?", "A": " ", "S": "", "T": ""}]
    found = read(write_lines(tmp_path / "rows.jsonl", *rows), Columns("q", "a", "s", "t"))
    assert found.examples[0].messages == (("system", "Be brief."), ("user", "Ann runs.\n\nWho?"), ("assistant", "Ann"))
    (problem,) = found.problems
    assert (problem.row, problem.field, problem.severity, problem.message) == (2, "a", "error", "the a is empty")


def test_half_known_names_are_asked_for_and_known_ones_are_not(tmp_path: Path) -> None:
    half = write_lines(tmp_path / "half.csv", "question,Antwort", "a,b")
    with pytest.raises(BadDataset, match="its columns are question, Antwort"):
        read(half, None)
    whole = write_lines(tmp_path / "whole.csv", "question,answer", "a,b")
    assert looked(whole) is None and looked(whole, half) == Preview(
        "half.csv", ("question", "Antwort"), (("a", "b"),), ("question", "Antwort")
    )
    assert looked(write_lines(tmp_path / "prose.txt", "dear diary", "today it rained")) is None


def test_where_names_say_nothing_the_longest_texts_are_guessed_in_their_order() -> None:
    rows = [("1", "a long question of many words", "a still longer answer of very many words", "x")]
    assert guess(("c1", "c2", "c3", "c4"), rows) == ("c2", "c3")
    assert guess(("only", "Antwort"), [("a", "b")]) == ("only", "Antwort")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question=Frage", "at least the columns"),
        ("question=Frage,answer=frage", "one column is named twice"),
        ("question=a,question=b,answer=c", "the question is named twice"),
        ("Frage=question", "names no column"),
        ("question=,answer=b", "names no column"),
    ],
)
def test_what_names_no_columns_is_said(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_columns(text)


def test_names_may_have_commas() -> None:
    assert parse_columns("question=Frage, kurz, answer = A=B") == Columns("Frage, kurz", "A=B")


def test_the_names_are_part_of_the_recipe(tmp_path: Path) -> None:
    path = table(tmp_path / "odd.csv", ";")
    old = Recipe("odd", tmp_path / "model.gguf", (path,), tmp_path)
    recipe = replace(old, columns=(GERMAN,))
    records.write_json(tmp_path / "recipe.json", recipe)
    assert read_recipe(tmp_path / "recipe.json") == recipe
    assert recipe_key(recipe) != recipe_key(old)
    assert recipe_key(recipe) != recipe_key(replace(old, columns=(Columns("Art", "Antwort"),)))
    rows, why = read_rows(tmp_path)  # the guard that looks for test cases among trained rows
    assert why == "" and rows[0].messages == (("user", ROWS[0]["Frage"]), ("assistant", ROWS[0]["Antwort"]))
