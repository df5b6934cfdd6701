"""A file becomes a Document: which reader reads which type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workbench.documents.document import Document, Draft, assemble
from workbench.documents.formats import converted, mail, markup, office, opendocument, plain, spreadsheets, tables, web
from workbench.errors import BadDocument

VERSION = 2  # raised when a reader gives other text than before, so that files are read again
TEXT_LIMIT = 60_000_000  # characters of text in one document

Reader = Callable[[Path], Draft]

READERS: dict[str, tuple[str, Reader]] = {
    ".md": ("markdown", markup.read_markdown),
    ".markdown": ("markdown", markup.read_markdown),
    ".mdx": ("markdown", markup.read_markdown),
    ".rst": ("restructuredtext", markup.read_restructured),
    ".adoc": ("asciidoc", markup.read_asciidoc),
    ".asciidoc": ("asciidoc", markup.read_asciidoc),
    ".html": ("html", web.read_html),
    ".htm": ("html", web.read_html),
    ".xhtml": ("html", web.read_html),
    ".pdf": ("pdf", office.read_pdf),
    ".docx": ("docx", office.read_docx),
    ".docm": ("docx", office.read_docx),
    ".odt": ("odt", opendocument.read_odt),
    ".odp": ("odp", opendocument.read_odp),
    ".pptx": ("pptx", office.read_pptx),
    ".pptm": ("pptx", office.read_pptx),
    ".xlsx": ("xlsx", spreadsheets.read_xlsx),
    ".xlsm": ("xlsx", spreadsheets.read_xlsx),
    ".xlsb": ("xlsb", spreadsheets.read_other_workbook),
    ".xls": ("xls", spreadsheets.read_other_workbook),
    ".ods": ("ods", spreadsheets.read_other_workbook),
    ".doc": ("doc", converted.read_doc),
    ".ppt": ("ppt", converted.read_ppt),
    ".csv": ("csv", tables.read_csv),
    ".tsv": ("csv", tables.read_csv),
    ".epub": ("epub", web.read_epub),
    ".rtf": ("rtf", markup.read_rtf),
    ".eml": ("mail", mail.read_mail),
    ".msg": ("mail", mail.read_msg),
    ".mbox": ("mail", mail.read_mailbox),
    ".ipynb": ("notebook", markup.read_notebook),
    ".json": ("json", tables.read_json),
    ".jsonl": ("json", tables.read_json_lines),
    ".ndjson": ("json", tables.read_json_lines),
    ".xml": ("xml", tables.read_xml),
    ".srt": ("subtitles", plain.read_subtitles),
    ".vtt": ("subtitles", plain.read_subtitles),
}
CODE = frozenset(
    ".py .pyi .js .ts .jsx .tsx .java .kt .c .h .cc .cpp .hpp .cs .go .rs .rb .php .swift .scala .sh .bash .ps1"
    " .bat .sql .r .jl .lua .pl .m .css .scss .vue .dart .ex .exs .erl .hs .clj .toml .ini .cfg .conf .yaml .yml"
    " .env .properties .tf .proto".split()
)
# Known by name not to hold text, so that they are not even opened. Anything else unknown is tried as text.
NOT_READ = frozenset(
    ".png .jpg .jpeg .gif .bmp .webp .tif .tiff .ico .heic .svg .psd .ai .mp3 .wav .flac .ogg .m4a .mp4 .mkv .mov"
    " .avi .webm .zip .gz .bz2 .xz .7z .rar .tar .tgz .zst .jar .whl .exe .dll .so .dylib .o .a .lib .bin .dat"
    " .iso .dmg .msi .deb .rpm .pyc .class .db .sqlite .sqlite3 .gguf .safetensors .pt .pth .onnx .npy .npz .pkl"
    " .parquet .arrow .feather .h5 .ttf .otf .woff .woff2 .pages .numbers .key .mobi .azw3 .djvu .ps"
    " .eps .lnk .part .crdownload".split()
)


def unreadable_type(file: str) -> str:
    """Why a file of this name is not read at all; "" when it is tried."""
    suffix = Path(file).suffix.lower()
    if suffix in converted.PROGRAMS and not converted.program(suffix):
        return (
            f"files of the old type {suffix} are read only where {converted.wanted(suffix)} is installed: save it anew"
        )
    return f"files of the type {suffix} hold no text that is read" if never_read(file) else ""


def never_read(file: str) -> bool:
    """Whether a file of this name is read nowhere, whatever is installed: trying it again changes nothing."""
    return Path(file).suffix.lower() in NOT_READ


def read(path: Path, file: str) -> Document:
    """Read one file; `file` is its path relative to the indexed folder.

    Raises BadDocument with the reason when it cannot be read or holds no text; MemoryError passes through.
    """
    suffix = path.suffix.lower()
    kind, reader = READERS.get(suffix, ("code" if suffix in CODE else "text", plain.read_text))
    try:
        draft = reader(path)
        document = assemble(draft, file, kind, Path(file).name)
    except (BadDocument, MemoryError):
        raise
    except FileNotFoundError as error:
        raise BadDocument("the file vanished while it was being read") from error
    except OSError as error:
        raise BadDocument(f"the file cannot be opened: {(error.strerror or str(error)).lower()}") from error
    except RecursionError as error:
        raise BadDocument("the file is nested too deeply to be read") from error
    except Exception as error:  # every format's library has failures of its own; none may end the indexing
        damaged = f"the file is damaged or of another type than its name says ({type(error).__name__})"
        raise BadDocument(damaged) from error
    except BaseException as error:  # a reader written in Rust gave up: its PanicException is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise BadDocument("the file is damaged or of another type than its name says") from error
    return _checked(document)


def _checked(document: Document) -> Document:
    if not document.text.strip():
        scans = next((note for note in document.notes if "scans" in note), "")
        advice = f": {scans}; run text recognition (OCR) on it first" if scans else ""
        raise BadDocument(f"it holds no text{advice}")
    if len(document.text) > TEXT_LIMIT:
        millions = f"{len(document.text) / 1e6:.0f} million characters; more than {TEXT_LIMIT / 1e6:.0f}"
        raise BadDocument(f"it holds {millions} are not read")
    return document
