"""Check the sample project: `python resources/check_sample.py` prints what was looked at and how often.

The sample is worth something only if its suite measures what it claims: training rows must not hold the suite's
questions, facts must stand in the document they name, and questions without an answer must really have none.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import tomllib
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docx
import jsonschema
import openpyxl
import pptx
import pypdf
import yaml
from bs4 import BeautifulSoup
from striprtf.striprtf import rtf_to_text

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from sample_maker.reading import REFUSAL  # noqa: E402
from sample_maker.source import read_pages  # noqa: E402
from sample_maker.suite import read_facts, read_unanswerable  # noqa: E402
from sample_maker.tickets import PRODUCTS, read_suite_tickets, schema  # noqa: E402

SAMPLE, SOURCE = HERE / "sample", HERE / "source"

# Eight words in a row are not shared by chance; six tenths of all words in common is the same text reworded.
GRAM = 8
MOST_ALIKE = 0.6


@dataclass
class Findings:
    """What was checked, with counts, and what was wrong; nothing wrong means `problems` is empty."""

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def check(self, what: str, looked_at: int, wrong: Iterable[str]) -> None:
        found = list(wrong)
        self.problems += [f"{what}: {one}" for one in found]
        self.lines.append(f"{'FAIL' if found else 'ok  '}  {what}: {looked_at} looked at, {len(found)} wrong")


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything on disk, read once."""

    texts: dict[str, str]  # relative path -> the text a reader finds in the document
    cases: list[dict[str, Any]]
    tones: list[dict[str, Any]]
    tickets: list[dict[str, Any]]
    readings: list[dict[str, Any]]
    description: dict[str, Any]


def read_sample(folder: Path = SAMPLE) -> Sample:
    """Read all parts; whatever does not parse raises here, naming its file."""
    documents = folder / "documents"
    files = sorted(path for path in documents.rglob("*") if path.is_file())
    return Sample(
        {path.relative_to(documents).as_posix(): read_text(path) for path in files},
        yaml.safe_load((folder / "suite.yaml").read_text(encoding="utf-8")),
        yaml.safe_load((folder / "tone.yaml").read_text(encoding="utf-8")),
        _rows(folder / "tickets.jsonl"),
        _rows(folder / "reading.jsonl"),
        tomllib.loads((folder / "sample.toml").read_text(encoding="utf-8")),
    )


def check_sample(folder: Path = SAMPLE) -> Findings:
    """All checks in turn."""
    sample, findings = read_sample(folder), Findings()
    _check_documents(sample, findings)
    _check_suite(sample, findings)
    _check_facts(sample, findings)
    _check_unanswerable(sample, findings)
    _check_tickets(sample, findings)
    _check_tones(sample, findings)
    _check_readings(sample, findings)
    _check_overlap(sample, findings)
    _check_description(sample, findings, folder)
    return findings


def read_text(path: Path) -> str:
    """The text of one document, one table row per line; simple readers of our own, apart from the product's."""
    return READERS[path.suffix](path)


def _read_plain(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _read_csv(path: Path) -> str:
    return "\n".join(" | ".join(row) for row in csv.reader(path.read_text(encoding="utf-8").splitlines()))


def _html_text(content: str | bytes) -> str:
    soup = BeautifulSoup(content, "html.parser")
    for row in soup.find_all("tr"):
        row.replace_with(" | ".join(cell.get_text() for cell in row.find_all(["td", "th"])) + "\n")
    return soup.get_text("\n")


def _read_pdf(path: Path) -> str:
    pages = [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(path).pages]
    return "\n".join(pages)


def _read_docx(path: Path) -> str:
    file = docx.Document(str(path))
    rows = [" | ".join(cell.text for cell in row.cells) for table in file.tables for row in table.rows]
    return "\n".join([paragraph.text for paragraph in file.paragraphs] + rows)


def _read_pptx(path: Path) -> str:
    shapes = [shape for slide in pptx.Presentation(str(path)).slides for shape in slide.shapes]
    return "\n".join(shape.text_frame.text for shape in shapes if shape.has_text_frame)


def _read_xlsx(path: Path) -> str:
    sheets = openpyxl.load_workbook(path, read_only=True).worksheets
    rows = [row for sheet in sheets for row in sheet.iter_rows(values_only=True)]
    return "\n".join(" | ".join(str(cell) for cell in row if cell is not None) for row in rows)


def _read_epub(path: Path) -> str:
    with zipfile.ZipFile(path) as book:
        chapters = sorted(name for name in book.namelist() if "chapter" in name)
        return "\n".join(_html_text(book.read(name)) for name in chapters)


READERS: dict[str, Callable[[Path], str]] = {
    ".md": _read_plain,
    ".txt": _read_plain,
    ".csv": _read_csv,
    ".html": lambda path: _html_text(path.read_text(encoding="utf-8")),
    ".pdf": _read_pdf,
    ".docx": _read_docx,
    ".pptx": _read_pptx,
    ".xlsx": _read_xlsx,
    ".epub": _read_epub,
    ".rtf": lambda path: str(rtf_to_text(path.read_text(encoding="ascii"))),  # type: ignore[no-untyped-call]
}


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def words(text: str) -> list[str]:
    """Lower-case words and numbers, without punctuation: how the suite compares text."""
    return re.findall(r"[^\W_]+", text.lower())


def stands_in(phrase: str, text: str) -> bool:
    """Whether `phrase` stands in `text` on word edges."""
    return f" {' '.join(words(phrase))} " in f" {' '.join(words(text))} "


def _grams(text: str) -> set[tuple[str, ...]]:
    """All runs of GRAM words; of a shorter text, the whole of it."""
    found = words(text)
    return {tuple(found[at : at + GRAM]) for at in range(max(1, len(found) - GRAM + 1))}


def _check_documents(sample: Sample, findings: Findings) -> None:
    formats = Counter(Path(path).suffix for path in sample.texts)
    few = [f"{len(sample.texts)} documents, at least 40 wanted"] if len(sample.texts) < 40 else []
    few += [f"{len(formats)} formats, at least 8 wanted"] if len(formats) < 8 else []
    counts = ", ".join(f"{number} {suffix[1:]}" for suffix, number in sorted(formats.items()))
    findings.check(f"documents ({counts})", len(sample.texts), few)
    pages = read_pages(SOURCE / "documents")
    lengths = {page.path: len(page.raw.replace("|", " ").split()) for page in pages}
    wrong = [f"{path} has {number} words" for path, number in lengths.items() if not 150 <= number <= 900]
    findings.check("documents of 150 to 900 words", len(lengths), wrong)


def _check_suite(sample: Sample, findings: Findings) -> None:
    kinds = Counter(case["kind"] for case in sample.cases)
    expected = {"fact": 52, "behaviour": 35, "unanswerable": 18}
    findings.check("cases of each kind", len(sample.cases), [str(kinds)] if kinds != expected else [])
    keys = {"id", "kind", "question", "source", "checks", "tags"}
    findings.check("keys of cases", len(sample.cases), [case["id"] for case in sample.cases if set(case) != keys])
    for name in ("id", "question"):
        twice = [value for value, number in Counter(case[name] for case in sample.cases).items() if number > 1]
        findings.check(f"cases whose {name} is their own", len(sample.cases), twice)
    copied = [c["id"] for c in sample.cases for text in sample.texts.values() if stands_in(c["question"], text)]
    findings.check("questions that stand in no document", len(sample.cases), copied)


def _check_facts(sample: Sample, findings: Findings) -> None:
    facts = read_facts(SOURCE / "suite_facts.txt")
    absent = [f.question for f in facts if not any(stands_in(a, sample.texts.get(f.source, "")) for a in f.answers)]
    findings.check("facts whose source holds the answer", len(facts), absent)
    told = [f.question for f in facts if any(stands_in(answer, f.question) for answer in f.answers)]
    findings.check("facts whose question does not tell the answer", len(facts), told)
    wrong = []
    old_facts = [fact for fact in facts if fact.old_answer and fact.old_source]
    for fact in old_facts:
        old = sample.texts.get(fact.old_source or "", "")
        if not stands_in(fact.old_answer or "", old) or any(stands_in(fact.old_answer or "", a) for a in fact.answers):
            wrong.append(f"{fact.question} (old value not in {fact.old_source})")
    findings.check("superseded facts whose old value stands in an older document", len(old_facts), wrong)
    tagged = [fact.question for fact in facts if ("superseded" in fact.tags) != (fact.old_source is not None)]
    findings.check("superseded facts tagged as such", len(facts), tagged)


def _check_unanswerable(sample: Sample, findings: Findings) -> None:
    questions = read_unanswerable(SOURCE / "suite_unanswerable.txt")
    sentences = [part for text in sample.texts.values() for part in re.split(r"(?<=[.?!])\s|\n", text)]
    wrong = []
    for question, groups in questions:
        for group in groups:
            patterns = [re.compile(rf"(?<!\w){re.escape(word)}", re.IGNORECASE) for word in group]
            hits = [text for text in sentences if all(pattern.search(text) for pattern in patterns)]
            wrong += [f"{question} may be answered by: {text}" for text in hits]
    findings.check("questions without an answer in the documents", len(questions), wrong)


def _check_tickets(sample: Sample, findings: Findings) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    rows = [row["messages"] for row in sample.tickets]
    shaped = [one for one in rows if [part["role"] for part in one] == ["user", "assistant"]]
    findings.check("ticket rows of one message and one ticket", len(rows), ["row"] * (len(rows) - len(shaped)))
    wrong = [answer for _, answer in _ticket_pairs(sample) if not _valid(answer, validator)]
    findings.check("tickets that keep to the schema", len(_ticket_pairs(sample)), wrong)
    lost = [message for message, answer in _ticket_pairs(sample) if not _learnable(message, json.loads(answer))]
    findings.check("tickets whose product and order stand in the message", len(_ticket_pairs(sample)), lost)
    lengths = [len(message.split()) for message, _ in _ticket_pairs(sample)]
    findings.check("messages of 20 to 60 words", len(lengths), [str(n) for n in lengths if not 20 <= n <= 60])
    twice = Counter(message for message, _ in _ticket_pairs(sample))
    findings.check("messages that differ", len(twice), [text for text, number in twice.items() if number > 1])
    _check_behaviour(sample, findings)


def _check_behaviour(sample: Sample, findings: Findings) -> None:
    """Each case must accept its own right ticket, and refuse the same ticket with another product."""
    right = {ticket.message: ticket for ticket in read_suite_tickets(SOURCE / "suite_tickets.txt")}
    wrong = []
    cases = [case for case in sample.cases if case["kind"] == "behaviour"]
    for case in cases:
        ticket, rule = right[case["question"]], case["checks"][0]["json_schema"]
        validator = jsonschema.Draft202012Validator(rule)
        good = json.loads(ticket.answer())
        bad = good | {"product": next(product for product in PRODUCTS if product != ticket.product)}
        if not validator.is_valid(good) or validator.is_valid(bad) or not _learnable(case["question"], good):
            wrong.append(case["id"])
    findings.check("behaviour cases that accept the right ticket alone", len(cases), wrong)


def _ticket_pairs(sample: Sample) -> list[tuple[str, str]]:
    """Messages and tickets of both training files."""
    plain = [(row["messages"][0]["content"], row["messages"][1]["content"]) for row in sample.tickets]
    return plain + [(row["question"], row["answer"]) for row in sample.readings if row["answer"].startswith("{")]


def _valid(answer: str, validator: jsonschema.Draft202012Validator) -> bool:
    ticket = json.loads(answer)
    return validator.is_valid(ticket) and list(ticket) == schema()["required"] and "\n" not in answer


def _learnable(message: str, ticket: dict[str, Any]) -> bool:
    named = [product for product in PRODUCTS if product.lower() in message.lower()]
    numbers = re.findall(r"(?<!\d)\d{4}(?!\d)", message)
    return named == [ticket["product"]] and numbers == ([ticket["order"]] if ticket["order"] else [])


def _check_readings(sample: Sample, findings: Findings) -> None:
    rows = [row for row in sample.readings if not row["answer"].startswith("{")]
    wrong = [row["question"] for row in rows if not _answered(row)]
    findings.check("reading rows whose answer stands in the passage they cite", len(rows), wrong)
    refused = sum(row["answer"] == REFUSAL for row in rows)
    share = [] if 0.04 <= refused / len(rows) <= 0.09 else [f"{refused} of {len(rows)}"]
    findings.check("reading rows that refuse, about one in twelve", refused, share)
    names = [*PRODUCTS, *_own_names(sample)]
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b")
    told = [f"{found[0]} in {row['question']}" for row in rows if (found := pattern.search(json.dumps(row)))]
    findings.check(f"reading rows without any of {len(names)} names of the company", len(rows), told)
    beside = [row for row in sample.readings if row["answer"].startswith("{")]
    told = [row["question"] for row in beside if pattern.search(json.dumps(row["passages"]))]
    findings.check("passages beside tickets without those names", len(beside), told)


def _answered(row: dict[str, Any]) -> bool:
    """A cited answer ends with the number of a passage that holds what it says beyond the question."""
    if row["answer"] == REFUSAL:
        return True
    cited = re.fullmatch(r"(.+) \[(\d)\]\.", row["answer"])
    if cited is None or not 1 <= int(cited[2]) <= len(row["passages"]):
        return False
    text = words(row["passages"][int(cited[2]) - 1]["text"])
    said = [word for word in words(cited[1]) if word not in words(row["question"]) and word not in _COMMON]
    numbers = [word for word in said if word[0].isdigit()]
    return all(word in text for word in numbers) and any(word in text for word in said)


def _check_tones(sample: Sample, findings: Findings) -> None:
    """Each case must accept a note in the house's tone, and refuse it shouted, unsigned or saying something else."""
    wrong = []
    for case in sample.tones:
        *rules, longest, kept = case["checks"]
        said = case["question"].removeprefix("Write to the customer: ").rstrip("!.")
        good = f"Dear grower, {said}. Kind regards, Orrinfell"

        def passes(text: str, rules: list[Any] = rules, kept: Any = kept, longest: Any = longest) -> bool:
            keeps = any(stands_in(word, text) for word in kept["contains"])
            return (
                keeps and len(text.split()) <= longest["max_words"] and all(re.search(r["regex"], text) for r in rules)
            )

        bad = [
            good.replace(". Kind", "! Kind"),
            good.partition(" Kind")[0],
            good[6:],
            "Dear grower, hello. Kind regards, Orrinfell",
        ]
        if not passes(good) or any(passes(text) for text in bad):
            wrong.append(case["id"])
    findings.check("notes whose checks accept the house's tone alone", len(sample.tones), wrong)


# Words of an answer that say nothing by themselves.
_COMMON = tuple(words("the a an at in on of to it is was they does can has one within until after from with for by"))


def _own_names(sample: Sample) -> list[str]:
    """The company, its places and the family names of its people, as the sample's documents spell them."""
    table = sample.texts["handbook/who-does-what.html"]
    people = re.findall(r"\| ([A-Z][a-z]+ [A-Z][\w-]+) \|", table)
    families = sorted({name.split()[1] for name in people})
    return ["Orrinfell", "Tessaleigh", "Hexcombe", "Fennick", "Mill Yard", "Cobb Lane", "Ledgerline", *families]


def _check_overlap(sample: Sample, findings: Findings) -> None:
    """Suite against training rows: the same text, eight words in a row, or six tenths of the words in common."""
    cases = [case["question"] for case in [*sample.cases, *sample.tones]]
    rows = [row["messages"][0]["content"] for row in sample.tickets] + [row["question"] for row in sample.readings]
    passages = [passage["text"] for row in sample.readings for passage in row["passages"]]
    seen = {" ".join(words(text)) for text in rows}
    findings.check("questions asked in no training row", len(cases), [q for q in cases if " ".join(words(q)) in seen])
    grams = set().union(*(_grams(text) for text in rows + passages))
    shared = [question for question in cases if _grams(question) & grams]
    findings.check(f"questions sharing no {GRAM} words in a row with {len(rows)} rows", len(cases), shared)
    bags = [set(words(text)) for text in rows]
    nearest = {question: max(_alike(set(words(question)), bag) for bag in bags) for question in cases}
    alike = [f"{question} ({value:.2f})" for question, value in nearest.items() if value >= MOST_ALIKE]
    findings.check(f"questions less than {MOST_ALIKE} alike (nearest {max(nearest.values()):.2f})", len(cases), alike)
    sentences = {" ".join(words(part)) for text in rows for part in re.split(r"[.?!\n]+", text)}
    own = [(text, part) for text in cases for part in re.split(r"[.?!\n]+", text) if len(words(part)) > 2]
    copied = [text for text, part in own if " ".join(words(part)) in sentences]
    findings.check("sentences of the suite in no training row", len(own), copied)


def _alike(one: set[str], other: set[str]) -> float:
    """Jaccard: the words both have, among the words either has."""
    return len(one & other) / len(one | other)


def _check_description(sample: Sample, findings: Findings, folder: Path) -> None:
    missing = [name for name in sample.description["files"].values() if not (folder / name).exists()]
    findings.check("files named by sample.toml", len(sample.description["files"]), missing)
    examples = sample.description["examples"]
    asked = {case["question"] for case in [*sample.cases, *sample.tones]} | {
        message for message, _ in _ticket_pairs(sample)
    }
    shown = [example["question"] for example in examples] + sample.description["questions"]
    known = [question for question in shown if question in asked]
    findings.check("examples and first questions that are in neither suite nor training", len(shown), known)
    validator = jsonschema.Draft202012Validator(schema())
    tickets = [example["answer"] for example in examples if example["answer"].startswith("{")]
    findings.check("examples that keep to the schema", len(tickets), [t for t in tickets if not _valid(t, validator)])


def main() -> int:
    """Print every check with its counts; 1 if anything is wrong."""
    findings = check_sample()
    print("\n".join(findings.lines + findings.problems))
    return 1 if findings.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
