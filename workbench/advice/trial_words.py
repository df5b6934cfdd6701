"""What the tests beside a suite mean for the decision, in a sentence or two, and no more than counts show"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from workbench.advice.wording import lane_words
from workbench.evaluation.drill import Drill, DrillLane
from workbench.evaluation.knowledge import SourceTest

MOST = 0.5  # "most answers" is said where the whole 95 % interval of their share lies on one side of this


def sources_sentence(found: SourceTest, readers: Collection[str]) -> str:
    """Whether correcting a document would correct the answers, and what weights hold; `readers` are shown documents."""
    counts = {lane: each for lane, each in found.lanes.items() if sum(each.values())}
    reading = {lane: each for lane, each in counts.items() if lane in readers}
    bare = {lane: each for lane, each in counts.items() if lane not in readers}
    return " ".join(filter(None, (_followed(reading), _known(bare, bool(reading)))))


def _followed(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Of the lanes that read, the one that follows the document most."""
    from workbench.evaluation.statistics import rate_of  # scipy, where there is something to tell

    if not counts:
        return ""
    best = max(counts, key=lambda lane: counts[lane]["document"] / sum(counts[lane].values()))
    rate = rate_of(counts[best]["document"], sum(counts[best].values()))
    low, high = rate.interval
    said = f"{lane_words(best)} gave {rate.passed} of {rate.total} changed facts as the changed document has them"
    if low > MOST:
        return f"{said}: correct a document, and most answers follow, so what changes belongs in documents."
    if high < MOST:
        return f"{said}: most answers would stay as they are when a document is corrected; look at the failures first."
    return f"{said}; so few facts cannot tell whether most answers follow a document that is corrected."


def _known(counts: Mapping[str, Mapping[str, int]], reading: bool) -> str:
    """Of the lanes that read nothing, the one whose weights hold most."""
    if not counts:
        return ""
    best = max(counts, key=lambda lane: counts[lane]["weights"] / sum(counts[lane].values()))
    held, total = counts[best]["weights"], sum(counts[best].values())
    if not held:
        return f"Without documents no lane knew one of the {total} facts: weights do not hold them here."
    change = "training again" if best.partition(":")[0].endswith("tuned") else "training"
    words = lane_words(best, False)
    return f"Without documents, {words} said {held} of {total} facts as they were: {change} alone changes those."


def drill_sentence(found: Drill, readers: Collection[str], duration: Callable[[float], str]) -> str:
    """How soon the change arrived, and what would have to be trained again; `duration` words seconds."""
    right = sorted((each for each in found.lanes if each.right and each.lane in readers), key=lambda each: each.seconds)
    wrong = [each for each in found.lanes if not each.right]
    trained = [each for each in wrong if each.lane not in readers and each.retrain_seconds]
    if not right:
        reading = [lane_words(each.lane, False) for each in wrong if each.lane in readers]
        said = f"The change did not arrive: {_listed(reading)} still answered wrong." if reading else ""
        return " ".join(filter(None, (said, _again(trained, duration))))
    said = f"{lane_words(right[0].lane)} gave the new answer {duration(right[0].seconds)} after the change"
    if trained:
        return f"{said}. {_again(trained, duration)} What changes like this belongs in documents."
    return f"{said}, without any training."


def _again(trained: list[DrillLane], duration: Callable[[float], str]) -> str:
    if not trained:
        return ""
    times = [each.retrain_seconds or 0.0 for each in trained]
    took = duration(times[0]) if len(times) == 1 else f"{duration(min(times))} to {duration(max(times))}"
    return f"Training {_listed([lane_words(each.lane, False) for each in trained])} again would take about {took}."


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
