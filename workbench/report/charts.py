"""The page's charts as numbers and SVG; everything in them comes from figures, and text is escaped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from workbench.advice.wording import points
from workbench.evaluation.records import Effect, Rate

RELATIVE = ("tuning given retrieval", "retrieval given tuning", "interaction")  # effects that are not over the base
TIMES = ((0.01, "0.01 s"), (0.1, "0.1 s"), (1.0, "1 s"), (10.0, "10 s"), (60.0, "1 min"), (600.0, "10 min"),
         (3600.0, "1 h"), (36_000.0, "10 h"), (360_000.0, "100 h"))  # fmt: skip
WIDTH, HEIGHT = 400, 190
LEFT, RIGHT, TOP, BOTTOM = 34, 92, 10, 24  # room for the axis figures and for the words at the lines' ends


def rate_view(rate: Rate) -> dict[str, Any]:
    """A rate with its bar, in percent of the bar's width."""
    low, high = rate.interval
    return {
        "percent": f"{100 * rate.rate:.0f}",
        "between": f"{100 * low:.0f} to {100 * high:.0f}",
        "low": f"{100 * low:.1f}",
        "width": f"{max(1.0, 100 * (high - low)):.1f}",
        "at": f"{min(98.4, 100 * rate.rate):.1f}",
        "passed": rate.passed,
        "total": rate.total,
    }


def effect_chart(rows: Sequence[tuple[str, str, Effect]], margin: float) -> dict[str, Any]:
    """Effects over the noise band; `rows` are title, css class and effect. Positions are in percent of the plot."""
    ends = [0.0, *(bound for _, _, effect in rows for bound in effect.interval)]
    low, high = math.floor(min(ends) * 5 - 0.1) / 5, math.ceil(max(ends) * 5 + 0.1) / 5
    step = 0.2 if high - low <= 1.2 else 0.4

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    first = math.ceil(low / step - 1e-9)
    ticks = [step * number for number in range(first, math.floor(high / step + 1e-9) + 1)]
    return {
        "rows": [
            {**_effect_row(title, css, effect, place), "apart": effect.name in RELATIVE and before not in RELATIVE}
            for (title, css, effect), before in zip(rows, ["", *(effect.name for _, _, effect in rows)], strict=False)
        ],
        "ticks": [{"at": place(tick), "text": points(tick), "zero": abs(tick) < 1e-9} for tick in ticks],
        "noise_left": place(max(low, -margin)),
        "noise_width": round(place(min(high, margin)) - place(max(low, -margin)), 2),
    }


def _effect_row(title: str, css: str, effect: Effect, place: Any) -> dict[str, Any]:
    low, high = effect.interval
    at, zero = place(effect.difference), place(0.0)
    return {
        "title": title,
        "css": css,
        "at": at,
        "low": place(low),
        "width": round(place(high) - place(low), 2),
        "fill_left": min(at, zero),
        "fill_width": round(abs(at - zero), 2),
        "value": points(effect.difference),
        "between": between(effect),
        "by_chance": by_chance(effect),
    }


def by_chance(effect: Effect) -> bool:
    """Whether chance alone may have made an effect: McNemar after Holm's correction for all that are looked at with it,
    or, of an interaction, which has no such test, its interval."""
    if effect.name == "interaction":
        return effect.interval[0] <= 0 <= effect.interval[1]
    return effect.holm_p >= 0.05 or effect.interval[0] <= 0 <= effect.interval[1]


def small_plots(cells: Sequence[tuple[Effect, float]]) -> list[dict[str, float]]:
    """Effects with the noise behind each, all over one scale; positions are in percent of the plot."""
    ends = [0.0, *(end for effect, noise in cells for end in (*effect.interval, noise, -noise))]
    low, high = min(ends), max(max(ends), min(ends) + 1e-6)

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    return [
        {
            "zero": place(0.0),
            "noise_left": place(-noise),
            "noise_width": round(place(noise) - place(-noise), 2),
            "low": place(effect.interval[0]),
            "width": round(place(effect.interval[1]) - place(effect.interval[0]), 2),
            "at": place(effect.difference),
        }
        for effect, noise in cells
    ]


def between(effect: Effect) -> str:
    """An effect's interval in points, "13 to 28"."""
    return " to ".join(points(bound).removeprefix("+") for bound in effect.interval)


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Times from a second or less to hours on one axis: each step is ten times the one before, or sixty."""

    low: float  # seconds
    high: float
    ticks: tuple[dict[str, Any], ...]

    def place(self, seconds: float) -> float:
        """Where a time stands, in percent of the axis."""
        share = math.log(max(seconds, self.low) / self.low) / math.log(self.high / self.low)
        return round(100 * min(1.0, share), 2)


def time_axis(times: Sequence[float]) -> TimeAxis:
    """An axis that holds all of these times; it starts well before the shortest, so that each has a bar."""
    shortest = max(min(times, default=1.0), 1e-3)
    low = next((seconds for seconds, _ in reversed(TIMES) if seconds <= shortest / 2), TIMES[0][0])
    high = next((seconds for seconds, _ in TIMES if seconds >= max(times, default=1.0) and seconds > low), TIMES[-1][0])
    bare = TimeAxis(low, high, ())
    ticks = tuple({"at": bare.place(seconds), "text": text} for seconds, text in TIMES if low <= seconds <= high)
    return TimeAxis(low, high, ticks)


def loss_chart(train: Sequence[tuple[int, float]], held: Sequence[tuple[int, float]]) -> Markup | None:
    """Loss over steps as SVG, trained rows thin and grey, held-out rows in the lane's colour; None without data."""
    train, held = _finite(train), _finite(held)
    if len(train) < 2 and len(held) < 2:
        return None
    steps = max(step for step, _ in (*train, *held)) or 1
    top = _nice(max(loss for _, loss in (*train, *held)))

    def place(point: tuple[int, float]) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - RIGHT) * point[0] / steps
        return round(x, 1), round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - min(point[1], top) / top), 1)

    parts = [_axes(steps, top)]
    ends = _apart([place(line[-1])[1] if line else HEIGHT for line in (train, held)])
    for css, word, line, end in (("train", "trained", train, ends[0]), ("held", "held out", held, ends[1])):
        if line:
            points_text = " ".join(f"{x},{y}" for x, y in map(place, line))
            parts.append(Markup('<polyline class="curve-{}" points="{}"/>').format(css, points_text))
            x, _ = place(line[-1])
            parts.append(
                Markup('<text class="said" x="{}" y="{}">{} {}</text>').format(
                    x + 6, end + 4, word, f"{line[-1][1]:.2f}"
                )
            )
    parts += [Markup('<circle class="mark-held" cx="{}" cy="{}" r="2.5"/>').format(*place(point)) for point in held]
    label = f"Loss over {steps} steps"
    opening = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, HEIGHT, label)
    return opening + Markup("").join(parts) + Markup("</svg>")


def _finite(line: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    return [(int(step), float(loss)) for step, loss in line if loss is not None and math.isfinite(loss)]


def _nice(value: float) -> float:
    """The next round figure above a value."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * factor for factor in (1, 1.5, 2, 3, 4, 5, 7.5, 10) if power * factor >= value - 1e-12)


def _apart(ends: list[float], least: float = 13.0) -> list[float]:
    """Move two labels apart where they would lie on each other."""
    first, second = ends
    if abs(first - second) < least:
        middle, up = (first + second) / 2, first <= second
        middle = min(max(middle, TOP + least / 2), HEIGHT - BOTTOM - least / 2)  # both stay within the chart
        first, second = (middle - least / 2, middle + least / 2) if up else (middle + least / 2, middle - least / 2)
    return [min(max(each, TOP), HEIGHT - BOTTOM) for each in (first, second)]


def _axes(steps: int, top: float) -> Markup:
    lines = []
    for share in (0.0, 0.5, 1.0):
        y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)
        lines.append(
            Markup('<line class="axis-line" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(LEFT, WIDTH - RIGHT, y, y)
        )
        lines.append(
            Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(LEFT - 6, y + 4, f"{top * share:.3g}")
        )
    lines.append(Markup('<text x="{}" y="{}">0</text>').format(LEFT, HEIGHT - 6))
    words = escape(f"{steps} steps")
    lines.append(Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(WIDTH - RIGHT, HEIGHT - 6, words))
    return Markup("").join(lines)
