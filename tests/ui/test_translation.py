"""Every text of the window can be found by Qt's own collector, so that it can be translated."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

# what no person reads as a sentence, by module: of other programs and formats, of the log, of the command line
OTHER = {
    "documents_reading": ("changes elsewhere",),  # a kind of job
    "documents_watch": ("when the thread is inactive", "folder watch", "folders are not watched: %s"),
    "evaluate_checks": ("contains: 36 months | three years",),  # as it is typed in any language
    "evaluate_header": ("JUnit XML",),
    "evaluate_rows": ("met in training",),  # a tag, kept with runs
    "evaluate_source": ("deleting a run",),  # read by another Workbench
    "settings_page": ("graphics cards could not be asked for: %s",),
    "finetune_run": (
        "No checkpoint",
        "Nothing was",
        "start it again under the same name to go on",
    ),  # the stage's words
    "advise_verdict": ("whole documents",),  # the name of an effect
    "documents_rows": ("d MMM yyyy",),
    "icons": ("Phosphor has no icon named ",),
    "preload": ("not loaded ahead: %s",),
    "plain": ('<p style="white-space: pre-wrap">',),
    "window": ("Ctrl+1 to Ctrl+7",),
    "words": ("d MMM, HH:mm",),
}
WORDS = re.compile(r"[A-Za-z]{2,}[,:;]? [A-Za-z]{2,}")
UNSPOKEN = ("tr", "translate", "QT_TRANSLATE_NOOP", "QT_TRANSLATE_N_NOOP", "setProperty", "property")
ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.slow
@pytest.mark.skipif(not (BIN / "pyside6-lupdate").exists(), reason="Qt's collector of texts is not installed")
def test_every_marked_text_is_collected() -> None:
    command = ["sh", str(ROOT / "packaging" / "translate.sh"), "xx"]
    done = subprocess.run(command, env={**os.environ, "BIN": str(BIN)}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert "texts are ready for translation" in done.stdout
    file = ROOT / "build" / "translations" / "workbench_xx.ts"
    found = file.read_text(encoding="utf-8")
    for text in ("Needs you first", "Search on this page", "Documents (RAG)", "about {0} minutes"):
        assert f"<source>{text}</source>" in found


def _spoken(tree: ast.Module) -> list[str]:
    """The texts of a module that have words in them and are neither marked for translation nor a docstring."""
    quiet, marked = set[int](), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            within = list(ast.walk(node)) if name in UNSPOKEN else []
            quiet |= {id(each) for each in within}
            marked |= {each.value for each in within if isinstance(each, ast.Constant) and isinstance(each.value, str)}
        elif isinstance(node, (ast.Expr, ast.AnnAssign, ast.arg)):
            aside = node.value if isinstance(node, ast.Expr) else node.annotation
            if isinstance(node, ast.Expr) and not isinstance(aside, ast.Constant):
                continue
            quiet |= {id(each) for each in ast.walk(aside)} if aside is not None else set()
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [
        each.value for each in texts if id(each) not in quiet and each.value not in marked and WORDS.search(each.value)
    ]


def test_no_sentence_of_the_window_is_left_unmarked() -> None:
    left = dict[str, list[str]]()
    for path in sorted((ROOT / "workbench" / "ui").glob("*.py")):
        if path.stem in ("bench_ui", "bench_scripted", "bench_saved"):  # measured, and never read
            continue
        found = _spoken(ast.parse(path.read_text(encoding="utf-8")))
        left[path.stem] = [each for each in found if each not in OTHER.get(path.stem, ())]
    assert {name: texts for name, texts in left.items() if texts} == {}
