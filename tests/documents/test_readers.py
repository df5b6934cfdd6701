from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import made_files as made
import psutil
import pytest

from workbench.documents import readers
from workbench.documents.document import Document, Section
from workbench.documents.fence import FencedReader
from workbench.documents.formats import converted, office, recognise
from workbench.documents.formats import programs as program_runner
from workbench.documents.scan import FoundFile
from workbench.errors import BadDocument


def read_made(path: Path, content: str | bytes | Callable[[Path], object]) -> Document:
    if callable(content):
        content(path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")
    document = readers.read(path, path.name)
    for section in document.sections:
        assert document.text[section.start : section.start + len(section.text)] == section.text
    return document


def place_of(document: Document, words: str) -> Section:
    return next(section for section in document.sections if words in section.text)


CASES: list[tuple[str, str | Callable[[Path], object], str, str, str]] = [
    ("a.md", "# Guide\n\nIntro.\n\n## Returns\n\n### When\n\nWithin 30 days.\n", "30 days", "Returns › When", "Guide"),
    ("b.md", "---\ntitle: Titled\n---\nHello\n=====\n\nSub\n---\nDeep words.\n", "Deep words", "Hello › Sub", "Titled"),
    ("c.md", "# One\n\n```\n# not a heading\n```\n\nAfter.\n", "After", "One", "One"),
    ("d.txt", "first\nsecond\n", "second", "", "d.txt"),
    ("e.rst", "=====\nTitle\n=====\n\nSetup\n-----\n\nRun it.\n", "Run it", "Setup", "Title"),
    ("f.adoc", "= Manual\n\n== Install\n\nPlug it in.\n", "Plug it", "Install", "Manual"),
    ("g.html", made.PAGE, "vinegar", "Cleaning", "Care guide"),
    ("h.pdf", lambda path: made.make_pdf(path, ["Hello one", "Hello two"], "A bulletin"), "two", "p. 2", "A bulletin"),
    ("i.docx", made.make_docx, "one year", "Toasters", "Warranty handbook"),
    ("j.pptx", made.make_pptx, "goggles", "slide 2", "j.pptx"),
    ("k.xlsx", made.make_xlsx, "Toaster", "sheet Prices, row 3", "k.xlsx"),
    ("l.csv", "name;age\nAda;36\nBen;41\n", "Ben", "row 3", "l.csv"),
    ("m.tsv", "name\tage\nAda\t36\n", "Ada", "row 2", "m.tsv"),
    ("n.epub", made.make_epub, "dried", "chapter 2: The End", "Weather Book"),
    ("o.rtf", r"{\rtf1\ansi Plain {\b bold} words.\par}", "bold words", "", "o.rtf"),
    ("p.eml", made.MAIL, "Thursday", "body", "Delivery of the pumps"),
    ("q.ipynb", made.make_notebook, "print(40", "cell 2", "Survey"),
    (
        "r.json",
        '[{"name": "Ada", "tags": ["x", "y"]}, {"name": "Ben", "at": {"city": "Rome"}}]',
        "Rome",
        "item 2",
        "r.json",
    ),
    ("s.jsonl", '{"name": "Ada"}\n{"name": "Ben"}\n', "Ben", "line 2", "s.jsonl"),
    ("t.yaml", "pump:\n  flow: 12\n", "flow: 12", "", "t.yaml"),
    ("u.xml", '<a xmlns="urn:x"><b id="7">Words</b></a>', "b: Words; id=7", "", "u.xml"),
    ("v.py", "def f():\n    return 'found'\n", "found", "", "v.py"),
    (
        "w.srt",
        "1\n00:00:01,000 --> 00:00:02,000\nHi\n\n2\n00:00:05,500 --> 00:00:06,000\nBye\n",
        "Bye",
        "00:00:05",
        "w.srt",
    ),
    ("x.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nHi <i>you</i>\n", "Hi you", "00:01", "x.vtt"),
    ("y.odt", made.make_odt, "dry", "Storage", "y.odt"),
    ("z.odp", made.make_odp, "goggles", "slide 2", "z.odp"),
    ("za.ods", made.make_ods, "Toaster", "sheet Prices, row 3", "za.ods"),
    ("zb.xls", made.copied("old.xls"), "Toaster", "sheet Prices, row 3", "zb.xls"),
    ("zc.msg", made.copied("mail.msg"), "gate open", "body", "Delivery of the pumps"),
    ("zd.mbox", made.MAILBOX, "I shall keep", "message 2", "zd.mbox"),
    ("LICENSE", "Free to use.", "Free", "", "LICENSE"),
]


@pytest.mark.parametrize(("name", "content", "words", "location", "title"), CASES, ids=[case[0] for case in CASES])
def test_every_type_is_read_with_its_location(
    tmp_path: Path, name: str, content: str | Callable[[Path], object], words: str, location: str, title: str
) -> None:
    document = read_made(tmp_path / name, content)
    assert place_of(document, words).location == location
    assert document.title == title


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp1251", "shift_jis"]
)
def test_text_of_any_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    text = "Übergröße für den Käse — déjà vu à l'été. " * 8
    if encoding == "cp1251":
        text = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 8
    if encoding == "shift_jis":
        text = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。" * 8
    document = read_made(tmp_path / "a.txt", text.encode(encoding))
    assert text[:30] in document.text


def test_rows_explain_themselves(tmp_path: Path) -> None:
    document = read_made(tmp_path / "a.xlsx", made.make_xlsx)
    assert place_of(document, "Kettle").text == "Item: Kettle; Price: 29"
    assert "hidden words" not in document.text
    assert any("Secret" in note for note in document.notes)
    assert "Part: Lid; Years: 2" in read_made(tmp_path / "a.docx", made.make_docx).text
    assert "Part: Filter; Cycle: monthly" in read_made(tmp_path / "a.html", made.PAGE).text


def test_a_table_without_a_header_keeps_all_its_rows(tmp_path: Path) -> None:
    document = read_made(tmp_path / "a.csv", "1,2\n3,4\n")
    assert [section.text for section in document.sections] == ["1; 2", "3; 4"]


def test_a_row_of_very_many_cells_and_a_very_long_cell_are_read(tmp_path: Path) -> None:
    assert read_made(tmp_path / "a.csv", "a," * 200_000).text.startswith("a; a; a")
    assert len(read_made(tmp_path / "b.csv", "name;remark\nAda;" + "x" * 300_000).text) > 300_000


def test_a_cell_that_holds_line_breaks_stays_one_row(tmp_path: Path) -> None:
    document = read_made(tmp_path / "a.csv", 'name,remark\nAda,"two\nlines"\nBen,ok\n')
    assert [section.text for section in document.sections] == ["name: Ada; remark: two lines", "name: Ben; remark: ok"]


def test_scripts_and_menus_of_a_page_are_left_out(tmp_path: Path) -> None:
    document = read_made(tmp_path / "a.html", made.PAGE)
    assert "evil" not in document.text and "About" not in document.text
    assert "Read this first." in document.text


def test_pages_without_text_are_named_as_scans(tmp_path: Path) -> None:
    document = read_made(tmp_path / "a.pdf", lambda path: made.make_pdf(path, ["Words", "", "", "More", ""]))
    assert document.notes == ("pages 2-3, 5 hold no text (scans or pictures)",)
    with pytest.raises(BadDocument, match=r"holds no text.*page 1 holds.*OCR"):
        read_made(tmp_path / "b.pdf", lambda path: made.make_pdf(path, [""]))


def test_attachments_of_a_mail_are_named(tmp_path: Path) -> None:
    document = read_made(tmp_path / "a.eml", made.MAIL)
    assert document.notes == ("attachments were not read: bill.pdf",)
    assert "Zürich" in document.text and "From: Ada" in document.text


def test_a_mail_of_outlook_says_who_when_and_what_is_attached(tmp_path: Path) -> None:
    document = read_made(tmp_path / "a.msg", made.copied("mail.msg"))
    assert document.notes == ("attachments were not read: bill.pdf",)
    head = "From: Ada Lovelace <ada@example.org>\nTo: Ben <ben@example.org>\nDate: 2025-03-04 09:30"
    assert document.text.startswith(head)


def test_every_message_of_a_mailbox_is_read_under_its_subject(tmp_path: Path) -> None:
    document = read_made(tmp_path / "a.mbox", made.MAILBOX)
    assert place_of(document, "Zürich").location == "message 1"
    assert place_of(document, "I shall keep").heading == "Re: Delivery"
    assert document.notes == ("attachments were not read: bill.pdf",)


def test_a_hidden_sheet_of_an_old_workbook_is_left_out_and_named(tmp_path: Path) -> None:
    document = read_made(tmp_path / "a.xls", made.copied("old.xls"))
    assert [section.text for section in document.sections] == ["Item: Kettle; Price: 29", "Item: Toaster; Price: 34.5"]
    assert document.notes == ("the hidden sheet Secret was left out",)


def test_notes_of_a_slide_come_last_and_once(tmp_path: Path) -> None:
    document = read_made(tmp_path / "a.odp", made.make_odp)
    assert [section.text for section in document.sections] == [
        *("Opening\nWelcome.\nNotes: Smile.", "Safety\nWear goggles.\nNotes: Show the video."),
    ]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is all of PATH."""
    made = tmp_path / "bin"
    made.mkdir()
    monkeypatch.setenv("PATH", str(made))
    for each in (converted.program, recognise.program):
        each.cache_clear()
    yield made
    for each in (converted.program, recognise.program):
        each.cache_clear()


def install(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!{sys.executable}\n{script}\n")
    (folder / name).chmod(0o755)


def test_an_old_word_document_is_read_where_a_program_is_there(tmp_path: Path, programs: Path) -> None:
    assert "LibreOffice, antiword or catdoc" in readers.unreadable_type("old.doc")
    converted.program.cache_clear()
    install(programs, "antiword", "import sys; print('Kept for ten years:', open(sys.argv[-1]).read())")
    assert readers.unreadable_type("old.doc") == ""
    assert read_made(tmp_path / "old.doc", "letters").text.strip() == "Kept for ten years: letters"


def test_the_program_that_keeps_headings_is_preferred(tmp_path: Path, programs: Path) -> None:
    made.make_docx(tmp_path / "ready.docx")
    install(programs, "antiword", "print('plain')")
    script = f"import shutil, sys; shutil.copy({str(tmp_path / 'ready.docx')!r}, sys.argv[-2] + '/old.docx')"
    install(programs, "soffice", script)
    assert place_of(read_made(tmp_path / "old.doc", "x"), "one year").location == "Toasters"


# It starts a helper that holds its output open, tells the helper's id, and hangs.
HANGS = """import subprocess, sys, time
helper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
open(sys.argv[-1] + '.pid', 'w').write(str(helper.pid))
time.sleep(600)"""


def wait_for(told: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not told():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.skipif(os.name == "nt", reason="scripts are no programs there")
def test_a_program_that_hangs_is_ended_with_all_it_started(
    tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(programs, "antiword", HANGS)
    monkeypatch.setattr(converted, "SECONDS", 1.5)
    with pytest.raises(BadDocument, match="too long"):
        read_made(tmp_path / "old.doc", "x")
    helper = int((tmp_path / "old.doc.pid").read_text())
    wait_for(lambda: is_gone(helper))


@pytest.mark.skipif(os.name == "nt", reason="scripts are no programs there")
def test_a_program_that_hangs_does_not_outlive_a_reader_that_is_killed(tmp_path: Path, programs: Path) -> None:
    install(programs, "antiword", HANGS)
    path, told = tmp_path / "old.doc", tmp_path / "old.doc.pid"
    path.write_text("x")
    reader = FencedReader()
    try:
        reader.start(FoundFile(str(tmp_path), "old.doc", path, 1, 1))
        wait_for(lambda: told.exists() and bool(told.read_text()))
    finally:
        reader.close()
    wait_for(lambda: is_gone(int(told.read_text())))


@pytest.mark.skipif(os.name == "nt", reason="scripts are no programs there")
def test_a_program_that_says_too_much_is_ended(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(programs, "antiword", "while True: print('x' * 1000)")
    monkeypatch.setattr(program_runner, "MOST", 100_000)
    with pytest.raises(BadDocument, match="damaged"):
        read_made(tmp_path / "old.doc", "x")


def test_a_program_that_fails_names_the_file_as_damaged(tmp_path: Path, programs: Path) -> None:
    install(programs, "catppt", "raise SystemExit(3)")
    with pytest.raises(BadDocument, match="damaged"):
        read_made(tmp_path / "old.ppt", "x")


SEES = "import sys; assert len(sys.stdin.buffer.read()) > 20; print('Seen words')"


def test_pages_that_are_pictures_are_recognised_where_a_program_is_there(tmp_path: Path, programs: Path) -> None:
    install(programs, "tesseract", SEES)
    document = read_made(tmp_path / "a.pdf", lambda path: made.make_scan(path, ["Typed words", ""]))
    assert place_of(document, "Typed").location == "p. 1"
    assert place_of(document, "Seen words").location == "p. 2"
    assert document.notes == ("page 2 holds text recognised from pictures, which may have mistakes",)


def test_recognition_that_fails_or_has_no_time_leaves_the_page_a_scan(
    tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = ("page 2 holds no text (scans or pictures)",)
    assert read_made(tmp_path / "a.pdf", lambda path: made.make_scan(path, ["Typed", ""])).notes == scan
    install(programs, "tesseract", "raise SystemExit(1)")
    recognise.program.cache_clear()
    assert read_made(tmp_path / "b.pdf", lambda path: made.make_scan(path, ["Typed", ""])).notes == scan
    install(programs, "tesseract", SEES)
    monkeypatch.setattr(office, "RECOGNITION_SECONDS", 0.0)
    assert read_made(tmp_path / "c.pdf", lambda path: made.make_scan(path, ["Typed", ""])).notes == scan


def test_a_heading_without_words_of_its_own_goes_with_the_next(tmp_path: Path) -> None:
    document = read_made(tmp_path / "a.md", "# Guide\n\n## Returns\n\nWithin 30 days.\n")
    assert [section.location for section in document.sections] == ["Returns"]
    assert document.text.startswith("# Guide")


BOMB = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]><a>&c;</a>'
BAD: list[tuple[str, str | bytes | Callable[[Path], object], str]] = [
    ("a.pdf", b"%PDF-1.7 broken", "damaged"),
    ("b.pdf", lambda path: made.make_pdf(path, ["secret"], password="x"), "password|encrypted"),
    ("c.docx", b"PK\x03\x04 half a file", "damaged"),
    ("d.docx", made.make_zip_bomb, "zip bomb"),
    ("e.xlsx", b"\xd0\xcf\x11\xe0" + b"x" * 600, "password"),
    ("f.pptx", b"nothing like it", "damaged"),
    ("g.epub", b"", "damaged"),
    ("h.rtf", "no rtf", "no rich text"),
    ("i.ipynb", "{", "no notebook"),
    ("j.txt", b"\x00\x01\x02\x03" * 400, "binary"),
    ("k.txt", " \n\t\n ", "holds no text"),
    ("l.xml", BOMB, "entities"),
    ("m.eml", "just words\n", "no mail"),
    ("n.json", "  ", "holds no text"),
    ("p.xls", b"\xd0\xcf\x11\xe0" + b"x" * 600, "damaged"),
    ("q.ods", b"PK\x03\x04 half", "damaged"),
    ("r.msg", b"\xd0\xcf\x11\xe0" + b"x" * 600, "damaged"),
    ("s.mbox", "no message begins\n", "no mailbox"),
    ("t.odp", made.make_zip_bomb, "zip bomb"),
    ("o.docx", lambda path: made.make_epub(path), "damaged or of another type|damaged"),
]


@pytest.mark.parametrize(("name", "content", "reason"), BAD, ids=[case[0] for case in BAD])
def test_every_bad_file_is_refused_with_a_plain_reason(
    tmp_path: Path, name: str, content: str | bytes | Callable[[Path], object], reason: str
) -> None:
    with pytest.raises(BadDocument, match=reason):
        read_made(tmp_path / name, content)


def test_a_deeply_nested_page_is_read_or_refused_but_never_breaks(tmp_path: Path) -> None:
    source = "<div>" * 5000 + "deep words" + "</div>" * 5000
    try:
        assert "deep words" in read_made(tmp_path / "a.html", source).text
    except BadDocument as error:
        assert "nested" in str(error) or "damaged" in str(error)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("secret")
    (tmp_path / "a.txt").chmod(0)
    with pytest.raises(BadDocument, match="permission denied"):
        readers.read(tmp_path / "a.txt", "a.txt")


def test_types_that_hold_no_text_are_named(tmp_path: Path) -> None:
    assert "hold no text" in readers.unreadable_type("a/photo.PNG")
    assert readers.unreadable_type("notes.xyz") == ""
