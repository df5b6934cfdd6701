from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from workbench.documents.left_out import LeftOut, read_patterns
from workbench.documents.scan import SIZE_LIMIT, KnownFile, compare, scan
from workbench.errors import InputError


def write(path: Path, text: str = "words") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_files_come_with_forward_slashes_in_a_stable_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.txt", "a/b/c.txt"):
        write(tmp_path / name)
    assert [found.file for found in scan(tmp_path)] == ["b.txt", "a/z.txt", "a/b/c.txt"]


def test_hidden_and_temporary_names_are_passed_over_unless_asked_for(tmp_path: Path) -> None:
    for name in (".git/config", ".hidden", "~$open.docx", "node_modules/x.js", "kept.txt"):
        write(tmp_path / name)
    assert [found.file for found in scan(tmp_path)] == ["kept.txt"]
    assert ".hidden" in [found.file for found in scan(tmp_path, LeftOut(hidden=False))]


def test_the_project_itself_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "project" / "project.json")
    write(tmp_path / "a.txt")
    assert [found.file for found in scan(tmp_path, LeftOut(folders=(tmp_path / "project",)))] == ["a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_loops_of_links_end_and_broken_links_are_named(tmp_path: Path) -> None:
    write(tmp_path / "a" / "a.txt")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    found = {each.file: each.trouble for each in scan(tmp_path)}
    assert found == {"a/a.txt": "", "gone": "the link leads nowhere"}


@pytest.mark.skipif(os.name == "nt", reason="there are none there")
def test_pipes_and_sockets_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    plug = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(tmp_path)  # the path of a socket may have 107 bytes only
    plug.bind("plug")
    os.chdir(here)
    try:
        assert all("no ordinary file" in found.trouble for found in scan(tmp_path))
        assert len(list(scan(tmp_path))) == 2
    finally:
        plug.close()


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="names are Unicode there")
def test_names_that_are_no_utf8_are_shown_escaped(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    with open(path, "w") as file:
        file.write("words")
    found = list(scan(tmp_path))
    assert found[0].file == "caf\\xe9.txt"
    assert found[0].path.read_text() == "words"


def test_empty_and_huge_files_are_named(tmp_path: Path) -> None:
    write(tmp_path / "empty.txt", "")
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(SIZE_LIMIT + 1)
    assert [found.trouble[:17] for found in scan(tmp_path)] == ["the file is empty", "the file has 100 "]


def test_new_changed_unchanged_and_gone_are_told_apart(tmp_path: Path) -> None:
    for name in ("same.txt", "new.txt", "other.txt", "outdated.txt"):
        write(tmp_path / name)
    known = {}
    for found in scan(tmp_path):
        if found.file != "new.txt":
            size = found.size + (found.file == "other.txt")
            known[found.key] = KnownFile(*found.key, size, found.mtime_ns, current=found.file != "outdated.txt")
    gone = KnownFile(str(tmp_path), "gone.txt", 1, 1)
    difference = compare(scan(tmp_path), {**known, gone.key: gone})
    assert [each.file for each in difference.new] == ["new.txt"]
    assert [each.file for each in difference.changed] == ["other.txt", "outdated.txt"]
    assert [each.file for each in difference.unchanged] == ["same.txt"]
    assert difference.gone == (gone,)


def test_patterns_are_those_of_gitignore(tmp_path: Path) -> None:
    for name in ("a.md", "b.log", "keep.log", "build/c.md", "x/build/d.md", "top.txt", "x/top.txt", "drafts/e.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    patterns = read_patterns("# what nobody asks about\n*.log\n!keep.log\n\nbuild/\n/top.txt\ndrafts/**\n")
    assert [found.file for found in scan(tmp_path, LeftOut(patterns))] == ["a.md", "keep.log", "x/top.txt"]


def test_a_pattern_that_means_nothing_is_refused_with_an_example() -> None:
    with pytest.raises(InputError, match=r"The pattern '!' cannot be used.*\.gitignore"):
        LeftOut(("*.log", "!"))
