"""Models and contexts of the engine's process, kept for the next question and closed when others need the room."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from workbench import turns
from workbench.catalog import memory
from workbench.errors import TooLittleMemory, WorkbenchError
from workbench.lanes.context import Context
from workbench.lanes.cores import CoreWatch
from workbench.lanes.llama import Model, Tokens
from workbench.lanes.shelf import Shelf

MOST_MODELS = 2  # loaded at once: comparing two base models is wanted, holding a third is not
MOST_IDLE = 8  # contexts that wait for the next question: six serve the contract's lanes, of two adapters eight
IDLE_SHARE = 4  # they may hold one part in so many of the memory that is free
ROUND = 64  # tokens: contexts have lengths in these steps; a token takes 23 kB with the starter
TOGETHER = 1.5  # lanes share a context where the longest needs at most this times the shortest: each stream of the
# cache has the length of the longest, and a short lane beside a whole document would waste as much again
LEAST_COPY = 32  # tokens another context must hold of a prompt to be asked for them: reading so few takes no longer
LEAST_CONTEXT = 2048  # tokens a lane gets however little memory is free

Item = TypeVar("Item")

_models: OrderedDict[tuple[Any, ...], Model] = OrderedDict()
_idle: list[Context] = []
_in_use: list[Context] = []
_kept: list[list[Model]] = []  # see `holding`
_canaries: dict[tuple[Any, ...], bytes] = {}
_shelf = Shelf()


def model(path: Path, exact: bool = False, copied: bool | None = None) -> Model:
    """A loaded model, the newest version of the file. Raises MissingFile, BadModel or TooLittleMemory.

    It is read as it is known to be fastest here, and as it works everywhere until that is known (see `choice`): nobody
    waits for a trial, but with `exact` for those of what works. `copied` says whether its faster copy is to be read, as
    an evaluation began with (None: where that is known to be faster).
    """
    from workbench.lanes.adapter_file import model_header
    from workbench.lanes.choice import chosen_before

    _watch()  # looks at the cores from now on, so that the first context gets as many threads as there are free ones
    model_header(path)  # a sentence instead of a crash, and MissingFile for one that is gone
    stat = path.stat()
    place = (path, stat.st_size, stat.st_mtime_ns, card_settings())
    chosen = chosen_before(path, place, exact, copied)
    key = (*place, chosen)
    if key not in _models:
        _make_room(MOST_MODELS - 1)
        _models[key] = _load(Model, chosen.file, chosen.extra_buffers, path, chosen.layers, chosen.split)
        for other in [each for each in _models if each[0] == path and each != key]:
            if not exact and not _is_used(_models[other]):  # it was read otherwise until a trial found this
                _unload(other)
    _models.move_to_end(key)
    return _models[key]


def _load(make: Callable[..., Item], *arguments: Any) -> Item:
    """A model or context; where memory does not hold it, what nobody uses goes for it, and it is tried once more."""
    try:
        return make(*arguments)
    except TooLittleMemory:
        spare = [found for found in _models.values() if not _is_used(found) and found not in arguments]
        if not _idle and not spare:
            raise
        while _idle:
            _put_away(_idle.pop())
        _make_room(0, keep=arguments[0])
        return make(*arguments)


def flash(found: Model) -> bool:
    """Whether live answers of a model are read with flash attention: where it is known to be faster here."""
    from workbench.lanes.attention import flash_is_faster

    if not found.flash:
        found.flash = flash_is_faster(found.path, found.layers, found.split)
    return found.flash


def longest_context(found: Model) -> int:
    """Tokens a lane's context may have: what the model was trained for, as far as a quarter of free memory holds."""
    from workbench.lanes.offload import cards
    from workbench.lanes.split import room

    free = room(cards(), found.split) if found.layers else memory.free()
    affordable = free // 4 // max(1, found.kv_bytes())
    return int(min(found.context_length, max(LEAST_CONTEXT, affordable)))


def group(
    items: Sequence[Item], key: Callable[[Item], tuple[Any, ...]], need: Callable[[Item], int]
) -> list[list[Item]]:
    """Those with the same key together, as long as their needs are of about one size (see TOGETHER)."""
    groups: list[list[Item]] = []
    for item in sorted(items, key=need):
        for each in groups:
            if key(each[0]) == key(item) and need(item) <= TOGETHER * need(each[0]):
                each.append(item)
                break
        else:
            groups.append([item])
    return groups


def take_context(
    found: Model,
    adapter: Path | None,
    scale: float,
    length: int,
    sequences: int,
    flash: bool = False,
    prompts: Sequence[tuple[Tokens, bool]] = (),
) -> Context:
    """A context for some sequences of at most `length` tokens each, for the caller alone until it is given back.

    Of the idle ones that fit, the one that holds most of the `prompts` (each with whether it may be shared loosely,
    see `Context.shared`), and the smallest of those, if it is not more than twice too long or mostly holds them.
    Otherwise a new one is made, which takes over what idle ones hold of the prompts: a conversation grows out of its
    contexts. What contexts that had to go held of them comes back from the shelf.
    """
    wanted = min(-(-length // ROUND) * ROUND, max(longest_context(found), length))
    state = (found, adapter, scale if adapter else 0.0, flash)
    alike = [each for each in _idle if _state(each) == state and _adapter_is_current(each)]
    fitting = [
        each
        for each in alike
        if wanted <= each.length
        and sequences <= each.sequences
        and (
            (each.length <= 2 * wanted and each.sequences * each.length <= 2 * sequences * wanted)
            or not _wasted(each, prompts)
        )
    ]
    if fitting:
        context = max(fitting, key=lambda each: (_held(each, prompts), -each.length * each.sequences))
        _idle.remove(context)
    else:
        context = _make_context(found, adapter, scale, wanted, sequences, flash)
    try:
        if not fitting:
            _drop_replaced(context, _take_over(context, [each for each in alike if each in _idle], prompts))
        _shelf.give_back(context, prompts, check_context)
        advise_threads(context)
    except BaseException:
        context.close()
        raise
    _in_use.append(context)
    return context


def planned() -> int:
    """Bytes this process was planned to take with the models and contexts it holds now, adapters included."""
    contexts = [*_idle, *_in_use]
    adapters = {context.adapter: context.adapter_bytes for context in contexts if context.adapter is not None}
    files = sum(adapters.values())
    weights = sum(each.planned for each in _models.values())
    return memory.ENGINE + files + weights + sum(each.planned for each in contexts)


def cache_bytes() -> int:
    """Bytes of the key-value caches of all contexts."""
    return sum(each.length * each.sequences * each.model.kv_bytes() for each in [*_idle, *_in_use])


def _make_context(
    found: Model, adapter: Path | None, scale: float, length: int, sequences: int, flash: bool
) -> Context:
    """A new context."""
    return _load(Context, found, adapter, scale, length, sequences, thread_limit(), flash)


def _held(context: Context, prompts: Sequence[tuple[Tokens, bool]]) -> int:
    """Tokens of the prompts that a context need not read again, each prompt held by the sequence that has most."""
    return sum(max(context.shared(each, *prompt) for each in range(context.sequences)) for prompt in prompts)


def already_held(found: Model, adapter: Path | None, prompts: Sequence[tuple[Tokens, bool]]) -> int:
    """Tokens of the prompts that the idle context with most of them need not read again."""
    alike = [each for each in _idle if each.model is found and each.adapter == adapter]
    return max((_held(each, prompts) for each in alike), default=0)


def _wasted(context: Context, prompts: Sequence[tuple[Tokens, bool]]) -> bool:
    """Whether the sequences that hold most of the prompts would forget more than is used of them."""
    used = forgotten = 0
    for prompt in prompts:
        shared, place = max((context.shared(each, *prompt), each) for each in range(context.sequences))
        used, forgotten = used + shared, forgotten + len(context.cached[place]) - shared
    return forgotten > used or not used


def _take_over(context: Context, idle: Sequence[Context], prompts: Sequence[tuple[Tokens, bool]]) -> list[Context]:
    """Copy what idle contexts hold of the prompts into the sequences of a new one, the whole of a sequence each; those
    it came from.

    llama.cpp copies between contexts with the same number of streams only (llama-kv-cache.cpp, state_read).
    """
    sources = []
    for sequence, prompt in enumerate(prompts[: context.sequences]):
        places = [
            (each.shared(place, *prompt), number, place)
            for number, each in enumerate(idle)
            for place in range(each.sequences)
            if len(each.cached[place]) <= context.length and each.sequences == context.sequences
        ]
        held, number, place = max(places, default=(0, 0, 0))
        if held >= LEAST_COPY:
            check_context(context)  # which empties the first sequence
            with suppress(TooLittleMemory):  # then it is read again
                context.take_over(sequence, idle[number], place)
                sources.append(idle[number])
    return sources


def _put_away(context: Context) -> None:
    """Close a context that has to go; what its conversations had read is kept on disk, where that is worth it."""
    try:
        if _adapter_is_current(context):
            _shelf.keep(context)
    finally:
        context.close()


def grow(context: Context, length: int) -> Context:
    """A longer context in the place of one in use, holding what that held; the old one is closed."""
    wanted = min(-(-length // ROUND) * ROUND, max(longest_context(context.model), length))
    model, adapter, scale, flash = _state(context)
    longer = _make_context(model, adapter, scale, wanted, context.sequences, flash)
    try:
        longer.copy_from(context)
    except BaseException:
        longer.close()
        raise
    longer.canary = context.canary
    advise_threads(longer)
    _in_use[_in_use.index(context)] = longer
    context.close()
    return longer


def advise_threads(context: Context) -> None:
    """Let a context use the cores that are free just now."""
    context.set_threads(min(context.threads, advised_threads()))


def advised_threads() -> int:
    """Threads to use just now: the cores that are free, as far as a person's settings let them be used."""
    return _watch().threads(thread_limit(), turns.working())


def ask_for_rest(context: Context, reading: bool, token_seconds: float = 0.0) -> None:
    """Ask what works in the background to rest while a context reads, or for its share of the time while it decodes."""
    working = turns.working()
    if working and not context.model.layers and _watch().gains(thread_limit(), working):
        turns.say(reading, token_seconds)


@functools.cache
def _watch() -> CoreWatch:
    return CoreWatch()


def give_back(context: Context) -> None:
    """The caller is done; the context waits for the next question."""
    _in_use.remove(context)
    _idle.append(context)
    while len(_idle) > MOST_IDLE or (len(_idle) > 1 and _too_much_idle()):
        _put_away(_idle.pop(0))


def discard(context: Context) -> None:
    """The caller is done, and so is the context: something failed in it."""
    _in_use.remove(context)
    context.close()


def _too_much_idle() -> bool:
    """Whether memory is wanted back: on a card contexts lie in its memory, which `longest_context` plans with."""
    held = sum(each.planned for each in _idle)
    return held > (memory.free() + held) // IDLE_SHARE


def check_context(context: Context) -> str:
    """ "ok", or why what the context decodes may not carry its label.

    Eight fixed tokens are decoded: without an adapter their logits must be what they always were, with one they must
    differ from those. Done once a context, before its first question; costs a hundredth of a second.
    """
    if context.canary:
        return context.canary
    model = context.model
    key = (model.path, model.extra_buffers, model.layers, model.split, context.flash)
    seen = context.probe()
    if context.adapter is None:
        usual = _canaries.setdefault(key, seen)
        context.canary = "ok" if seen == usual else "The bare model answered a fixed text unlike before."
        return context.canary
    if key not in _canaries:
        bare = Context(context.model, None, 0.0, ROUND, 1, context.threads, context.flash)
        _canaries[key] = bare.probe()
        bare.close()
    inert = context.scale != 0.0 and seen == _canaries[key]
    context.canary = "The adapter changes nothing: the model answers a fixed text as without it." if inert else "ok"
    return context.canary


def forget() -> None:
    """Let the idle contexts forget what they have read; benchmarks measure reading with it."""
    _shelf.clear()
    for context in _idle:
        for sequence in range(context.sequences):
            context.forget(sequence)


def forget_kept() -> None:
    """Keep nothing of what contexts that had to go held."""
    _shelf.clear()


def clear() -> None:
    """Close what no stage is using, and keep nothing of it."""
    _shelf.clear()
    while _idle:
        _idle.pop().close()
    _make_room(0)


@contextmanager
def holding() -> Iterator[list[Model]]:
    """A list of models that stay loaded while the block runs: those of a question that has no contexts yet."""
    held: list[Model] = []
    _kept.append(held)
    try:
        yield held
    finally:
        _kept[:] = [each for each in _kept if each is not held]
        _make_room(MOST_MODELS)


def _is_used(found: Model) -> bool:
    return any(context.model is found for context in _in_use) or any(found in each for each in _kept)


def _make_room(most: int, keep: object = None) -> None:
    """Unload the models used longest ago until at most `most` are left; those in use stay, and the one to `keep`."""
    for key, found in list(_models.items()):
        if len(_models) > most and found is not keep and not _is_used(found):
            _unload(key)


def _unload(key: tuple[Any, ...]) -> None:
    found = _models.pop(key)
    for context in [each for each in _idle if each.model is found]:
        _idle.remove(context)
        _put_away(context)
    found.close()


def _drop_replaced(context: Context, sources: Sequence[Context]) -> None:
    """Close the idle contexts a new one grew out of, and those of adapters that have changed since."""
    for each in list(_idle):
        grown = each in sources and each.length <= context.length and each.sequences <= context.sequences
        if grown or not _adapter_is_current(each):
            _idle.remove(each)
            each.close()


def _state(context: Context) -> tuple[Model, Path | None, float, bool]:
    return context.model, context.adapter, context.scale, context.flash


def _adapter_is_current(context: Context) -> bool:
    """Whether the adapter's file is still what the context was made with; a fine-tune may have been deleted."""
    try:
        return context.adapter is None or context.model.adapter(context.adapter) is context.loaded
    except (WorkbenchError, OSError):
        return False


@functools.cache
def card_settings() -> tuple[object, ...]:
    """What a person chose of graphics cards, read once per question."""
    from workbench.settings import load_settings

    chosen = load_settings()
    return chosen.gpu_layers, chosen.gpu_split, chosen.gpu_main, chosen.gpu_shares


@functools.cache
def thread_limit() -> int:
    """Threads a person lets answering use; all cores unless they said otherwise."""
    from workbench.settings import load_settings

    return load_settings().thread_count
