"""STAGE inspect(files, model): read, check and split examples, rendered with the model's own chat template."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from statistics import median_low

from workbench.errors import BadDataset, BadModel
from workbench.events import Progress, Result, Stage
from workbench.records import hash_text
from workbench.tuning.columns import Columns, Mapping, for_files, read_mapped, refuse_unnamed
from workbench.tuning.files import RawFile, RawRow
from workbench.tuning.indexed import indexed_rows
from workbench.tuning.recipe import held_out_count
from workbench.tuning.remarks import Remark, near_pairs, remarks
from workbench.tuning.shapes import SHAPES, Conversation, RowFault, read_shape, recognise
from workbench.tuning.tokens import Tokenizer, Tokens, cut, load_tokenizer, tokenize

TEXT = 12  # words from which on what a row gives to be read is a text, and no value such as a name or a number
LONGEST = 1024  # tokens of an example unless the recipe says otherwise; Recipe.max_tokens has the same


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one row."""

    row: int  # 1-based, as RawRow.number
    field: str  # "" when it is about the row as a whole
    severity: str  # "error": the row is left out; "warning": it is trained, and a person should look
    message: str  # plain words
    file: str = ""  # the file's name


@dataclass(frozen=True, slots=True)
class Example:
    """A row that can be trained."""

    row: int
    file: str
    messages: tuple[tuple[str, str], ...]  # (role, content), grounded rows already in the shape the lanes use
    grounded: bool
    tokens: Tokens
    source: str = ""  # a mark of the passages it reads, the same for rows that read the same ones; "": none
    reads: str = ""  # the same of any text it gives to be read, also one in the question itself
    passages: int = 0  # how many it shows

    @property
    def prompt_key(self) -> str:
        """What makes two rows ask the same: everything before the last answer, case and spaces aside."""
        return " ".join(" ".join(f"{role} {content}" for role, content in self.messages[:-1]).lower().split())

    @property
    def answer(self) -> str:
        """The last answer."""
        return self.messages[-1][1]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a rendered example."""

    text: str
    trained: bool


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """What `dataset check` says; `format`, `examples`, `problems` and `trained_tokens` are relied on by others."""

    format: str  # the shape and container that were recognised, per file where there are several
    examples: int  # rows that can be trained
    problems: tuple[Problem, ...]
    trained_tokens: int  # tokens the loss is taken on, of all examples
    tokens: int = 0  # tokens read, of all examples
    lengths: dict[str, int] = field(default_factory=dict)  # tokens per example: shortest, median, p95, longest
    histogram: tuple[tuple[int, int], ...] = ()  # (up to this many tokens, examples)
    rendered: tuple[Span, ...] = ()  # the median example as the model reads it
    counts: dict[str, int] = field(default_factory=dict)  # rows, errors, warnings, grounded, conversations, duplicates
    remarks: tuple[Remark, ...] = ()  # what to weigh of the set as a whole
    system: str = ""  # the system prompt all examples share, "" when none or several
    files: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Dataset:
    """Everything read from the training files."""

    format: str
    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]


def inspect(
    files: tuple[Path, ...],
    model: Path,
    suite: tuple[tuple[str, str], ...] = (),
    columns: Mapping = (),
    home: Path | None = None,
) -> Stage:
    """Read training files as a fine-tune of `model` would and say what is in them; the last Result is a DatasetReport.

    `suite` holds (case id, question) of what it will be measured with; `columns` what those of each file are called
    where a person said so; `home` is the folder of the project whose indexed documents the rows are held against.
    Raises MissingFile, BadModel, and BadDataset when not a single row can be trained.
    """
    began = time.monotonic()
    yield Progress(0, 0, "reading the model's tokenizer", "rows")
    tokenizer = load_tokenizer(model)
    dataset = None
    for step in read_dataset(files, tokenizer, columns=columns):
        if isinstance(step, Progress):
            yield step
        else:
            dataset = step
    assert dataset is not None
    found: list[Remark] = []
    for told in indexed_rows(dataset.examples, home) if home is not None else ():
        if isinstance(told, Progress):
            yield told
        else:
            found.append(told)
    whole = report(dataset, tokenizer, files, time.monotonic() - began, suite)
    yield Result(replace(whole, remarks=(*whole.remarks, *found)))


def read_dataset(
    files: Sequence[Path], tokenizer: Tokenizer, most: int = LONGEST, columns: Mapping = ()
) -> Iterator[Progress | Dataset]:
    """Read and render every row; yields Progress and, last, the Dataset.

    Raises MissingFile and BadDataset, the latter naming the first problem when no row is left.
    """
    examples: list[Example] = []
    problems: list[Problem] = []
    formats: list[str] = []
    for path, named in for_files(files, columns):
        raw = read_mapped(path, named)
        shape = f"columns {named}" if named is not None else _main_shape(raw)
        if not shape:
            refuse_unnamed(raw, path.name)
        formats.append(f"{shape or 'unknown'} ({raw.container})")
        said = time.monotonic()
        for done, row in enumerate(raw.rows):
            if time.monotonic() - said > 0.3:
                said = time.monotonic()
                yield Progress(done, len(raw.rows), f"checking {path.name}", "rows")
            found, wrong = _read_row(row, shape, path.name, tokenizer, most, named)
            problems += wrong
            if found is not None:
                examples.append(found)
    problems += _find_duplicates(examples)
    if not examples:
        first = f" The first problem: row {problems[0].row}, {problems[0].message}." if problems else ""
        raise BadDataset(f"{', '.join(path.name for path in files)} has no row that can be trained.{first}")
    order = {path.name: place for place, path in enumerate(files)}
    problems.sort(key=lambda problem: (order.get(problem.file, 0), problem.row))
    yield Dataset("; ".join(dict.fromkeys(formats)), tuple(examples), tuple(problems))


def _main_shape(raw: RawFile) -> str:
    """The shape most rows have; rows of another shape are read too, with a warning."""
    shapes = Counter(filter(None, (recognise(row.value) for row in raw.rows if not row.fault)))
    return shapes.most_common(1)[0][0] if shapes else ""


def _read_row(
    row: RawRow, main: str, file: str, tokenizer: Tokenizer, most: int, columns: Columns | None = None
) -> tuple[Example | None, list[Problem]]:
    """One row as an example, or None; with what is wrong with it."""

    def problem(field: str, severity: str, message: str) -> Problem:
        return Problem(row.number, field, severity, message, file)

    if row.fault:
        return None, [problem("", "error", row.fault)]
    shape = main if columns is not None else recognise(row.value)
    if not shape:
        field, message = _explain_unknown(row, main)
        return None, [problem(field, "error", message)]
    wrong = []
    if shape != main:
        wrong.append(problem("", "warning", f"the row is shaped as {shape}, most others as {main}"))
    try:
        conversation = read_shape(shape, row.value) if columns is None else columns.read(row.value)
        messages = _messages(conversation)
        tokens = tokenize(tokenizer, messages)
        if not tokens.trained:
            raise RowFault("", "nothing in the row would be trained")
        kept = cut(tokens, most)
    except RowFault as fault:
        return None, [*wrong, problem(fault.field, "error", fault.message)]
    except (ValueError, BadModel) as error:
        return None, [*wrong, problem("", "error", str(error))]
    if len(kept.ids) < len(tokens.ids):
        wrong.append(
            problem(
                "", "warning", f"the row has {len(tokens.ids)} tokens; the first {len(tokens.ids) - most} are cut off"
            )
        )
    wrong += [problem(field, "warning", message) for field, message in _look_closer(messages, tokenizer)]
    source = hash_text(repr(conversation.passages)) if conversation.passages else ""
    reads = hash_text(" ".join(conversation.read.split())) if len(conversation.read.split()) >= TEXT else source
    shown = len(conversation.passages)
    return Example(row.number, file, messages, conversation.grounded, kept, source, reads, shown), wrong


def _explain_unknown(row: RawRow, main: str) -> tuple[str, str]:
    have = ", ".join(list(row.value)[:6]) or "none"
    if main:
        missing = next(field for field in SHAPES[main][0] if field not in row.value)
        return missing, f"the field {missing!r} is missing (fields: {have})"
    return "", f"the fields are none of the known shapes (fields: {have})"


def _messages(conversation: Conversation) -> tuple[tuple[str, str], ...]:
    """Messages as the lanes would send them: a grounded row takes the very shape of a question with passages."""
    if not conversation.grounded:
        return conversation.messages
    from workbench.retrieval.prompt import grounded_messages

    question, answer = conversation.messages[0][1], conversation.messages[-1]
    asked = grounded_messages(question, conversation.passages)
    return (*((message["role"], message["content"]) for message in asked), answer)


def _look_closer(messages: Sequence[tuple[str, str]], tokenizer: Tokenizer) -> Iterator[tuple[str, str]]:
    """Warnings about a row that can be trained: (field, message)."""
    for control in tokenizer.template.control:
        if any(control in content for _, content in messages):
            yield ("", f"the text contains {control}, a control mark of the model, which is read as plain text")
            break
    answer = messages[-1][1]
    if answer != answer.strip():
        yield "answer", "the answer begins or ends with blanks, which are learnt as they are"


def _find_duplicates(examples: Sequence[Example]) -> list[Problem]:
    """Rows that repeat an earlier one, and rows that give the same question another answer."""
    found, seen = [], defaultdict[str, list[Example]](list)
    for example in examples:
        earlier = seen[hash_text(example.prompt_key)]
        same = next((each for each in earlier if each.answer.strip() == example.answer.strip()), None)
        if same is not None:
            message = f"the row repeats row {same.row}{_elsewhere(same, example)}"
            found.append(Problem(example.row, "", "warning", message, example.file))
        elif earlier:
            where = f"row {earlier[0].row}{_elsewhere(earlier[0], example)}"
            message = f"the row asks the same as {where} but answers differently"
            found.append(Problem(example.row, "answer", "warning", message, example.file))
        earlier.append(example)
    return found


def _elsewhere(first: Example, second: Example) -> str:
    return f" of {first.file}" if first.file != second.file else ""


def split(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """(train, held out): the same rows for the same seed; rows that ask or read the same, or are nearly the same, are
    on the same side.

    Held out are `share` of the rows, at least 4 and at most 64, never more than a third; below 6 rows none. Each kind
    of row (with passages or without) is held out in proportion, and the two take turns in what is returned, so that
    loss and samples speak of both. Where nearly all rows are alike only those that ask or read the same are kept
    together, and where nearly all read the same, only those that ask the same: see `parts_texts`.
    """
    wanted = held_out_count(len(examples), share)
    kinds = []
    for grounded in (False, True):
        of_kind = [example for example in examples if example.grounded == grounded]
        room = round(wanted * len(of_kind) / len(examples))
        held: list[Example] = []
        for groups in _groupings(of_kind) if room else ():
            held = _hold_out(groups, room, seed)
            if len(held) >= room / 2:
                break
        kinds.append(held)
    turns = [each for pair in zip_longest(*kinds) for each in pair if each is not None]
    chosen = {id(example) for example in turns}
    return [example for example in examples if id(example) not in chosen], turns


def parts_texts(training: Sequence[Example], held_out: Sequence[Example]) -> bool:
    """Whether no text that a held-out row reads is read in training."""
    return not {each.reads for each in training if each.reads} & {each.reads for each in held_out}


def _groupings(examples: Sequence[Example]) -> Iterator[list[list[Example]]]:
    """The rows in groups that stay together, the strictest way first."""
    by_mark = [example.reads or example.prompt_key for example in examples]
    yield _grouped(examples, by_mark, near_pairs(examples))
    yield _grouped(examples, by_mark, ())
    yield _grouped(examples, [example.prompt_key for example in examples], ())


def _grouped(
    examples: Sequence[Example], marks: Sequence[str], pairs: Iterable[tuple[int, int]]
) -> list[list[Example]]:
    """Rows with one mark, and pairs of rows, in one group each, in the order of their first rows."""
    first: dict[str, int] = {}
    above = [first.setdefault(mark, place) for place, mark in enumerate(marks)]

    def top(place: int) -> int:
        while above[place] != place:
            above[place] = place = above[above[place]]
        return place

    for one, other in pairs:
        low, high = sorted((top(one), top(other)))
        above[high] = low
    groups = defaultdict[int, list[Example]](list)
    for place, example in enumerate(examples):
        groups[top(place)].append(example)
    return list(groups.values())


def _hold_out(groups: list[list[Example]], room: int, seed: int) -> list[Example]:
    """At most `room` of the examples, chosen by the seed; those of one group all or none."""
    random.Random(seed).shuffle(groups)
    held: list[Example] = []
    for group in groups:
        if len(group) <= room - len(held):
            held += group
    return held


def passages_shown(examples: Iterable[Example]) -> int:
    """How many passages a row shows that reads some, in the middle; 0 where none does."""
    counts = [example.passages for example in examples if example.passages]
    return median_low(counts) if counts else 0


def shared_system(examples: Sequence[Example]) -> str:
    """The system prompt that all rows without passages share, "" when they have none or several."""
    systems = {each.messages[0][1] if each.messages[0][0] == "system" else "" for each in examples if not each.grounded}
    return systems.pop() if len(systems) == 1 else ""


def report(
    dataset: Dataset,
    tokenizer: Tokenizer,
    files: Sequence[Path],
    seconds: float,
    suite: Sequence[tuple[str, str]] = (),
) -> DatasetReport:
    """What there is to say about a dataset."""
    examples = sorted(dataset.examples, key=lambda example: len(example.tokens.ids))
    lengths = [len(example.tokens.ids) for example in examples]
    severities = Counter(problem.severity for problem in dataset.problems)
    return DatasetReport(
        format=dataset.format,
        examples=len(examples),
        problems=dataset.problems,
        trained_tokens=sum(example.tokens.trained for example in examples),
        tokens=sum(lengths),
        lengths={
            "shortest": lengths[0],
            "median": lengths[len(lengths) // 2],
            "p95": lengths[int(len(lengths) * 0.95)],
            "longest": lengths[-1],
        },
        histogram=_histogram(lengths),
        rendered=tuple(show(examples[len(examples) // 2].tokens, tokenizer)),
        counts={
            "errors": severities["error"],
            "warnings": severities["warning"],
            "grounded": sum(example.grounded for example in examples),
            "conversations": sum(len(example.tokens.spans) > 1 for example in examples),
            "duplicates": sum(problem.message.startswith("the row repeats") for problem in dataset.problems),
            "conflicts": sum(problem.message.endswith("answers differently") for problem in dataset.problems),
        },
        remarks=remarks(dataset.examples, suite),
        system=shared_system(examples),
        files=tuple(path.name for path in files),
        seconds=seconds,
    )


def _histogram(lengths: Sequence[int], bars: int = 12) -> tuple[tuple[int, int], ...]:
    """Examples per length, in bars of equal width that is a multiple of 8 tokens."""
    width = max(8, -(-max(lengths) // bars // 8) * 8)
    counts = Counter((length - 1) // width for length in lengths)
    return tuple(((bar + 1) * width, counts[bar]) for bar in range(max(counts) + 1))


def show(tokens: Tokens, tokenizer: Tokenizer) -> Iterator[Span]:
    """A rendered example as pieces of text, trained or not."""
    place = 0
    for start, end in tokens.spans:
        if start > place:
            yield Span(tokenizer.decode(tokens.ids[place:start], keep_control=True), False)
        yield Span(tokenizer.decode(tokens.ids[start:end], keep_control=True), True)
        place = end
    if place < len(tokens.ids):
        yield Span(tokenizer.decode(tokens.ids[place:], keep_control=True), False)
