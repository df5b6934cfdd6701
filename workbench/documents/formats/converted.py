"""Word and PowerPoint of before 2007: read through a program that is installed here, where there is one."""

from __future__ import annotations

import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from workbench.documents.document import Draft, Part
from workbench.documents.formats.office import read_docx, read_pptx
from workbench.documents.formats.plain import clean
from workbench.documents.formats.programs import output_of
from workbench.errors import BadDocument

# By type, the programs that are tried, in this order: LibreOffice keeps headings and slides, the others give lines.
PROGRAMS = {".doc": ("soffice", "antiword", "catdoc"), ".ppt": ("soffice", "catppt")}
ARGUMENTS = {"antiword": ("-m", "UTF-8.txt", "-w", "0"), "catdoc": ("-d", "utf-8", "-w"), "catppt": ("-d", "utf-8")}
SECONDS = 60  # for one file; the fence around the reader is the second wall


@lru_cache(maxsize=8)
def program(suffix: str) -> str:
    """Where the program is that reads files of this type, "" where there is none."""
    return next((found for name in PROGRAMS[suffix] if (found := shutil.which(name))), "")


def wanted(suffix: str) -> str:
    """The programs that would do, for people."""
    names = ["LibreOffice" if name == "soffice" else name for name in PROGRAMS[suffix]]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def read_doc(path: Path) -> Draft:
    """A Word document of before 2007."""
    return _read(path, ".docx")


def read_ppt(path: Path) -> Draft:
    """A presentation of before 2007."""
    return _read(path, ".pptx")


def _read(path: Path, modern: str) -> Draft:
    found = program(path.suffix.lower())
    if not found:
        raise BadDocument(f"no program is installed here that reads it: {wanted(path.suffix.lower())}")
    if Path(found).stem != "soffice":
        return Draft((Part(clean(_output(found, *ARGUMENTS[Path(found).stem], str(path))), first_line=1),))
    with tempfile.TemporaryDirectory(prefix="workbench-") as name:
        profile = f"-env:UserInstallation={(Path(name) / 'profile').as_uri()}"  # else an open LibreOffice is disturbed
        _output(found, profile, "--headless", "--convert-to", modern[1:], "--outdir", name, str(path))
        made = Path(name) / f"{path.stem}{modern}"
        if not made.exists():
            raise BadDocument("the file is damaged, or of another type than its name says")
        return read_docx(made) if modern == ".docx" else read_pptx(made)


def _output(*command: str) -> str:
    try:
        return output_of(list(command), SECONDS).decode("utf-8", errors="replace")
    except TimeoutError as error:
        raise BadDocument("reading it took too long") from error
    except (ValueError, OSError) as error:
        raise BadDocument("the file is damaged, or of another type than its name says") from error
