"""A benchmark as a picture: each figure's bar above its yardstick's, in one SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2

from workbench.bench import Figure

WIDTH, BARS = 720, 520  # pixels of the picture, and of the longer bar of each pair
ROW, TOP = 62, 44  # pixels of a figure, and of the title above them

_PICTURE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ width }} {{ height }}" width="{{ width }}" \
height="{{ height }}" font-family="sans-serif" font-size="13" role="img" aria-label="{{ title }}">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="16" y="26" font-size="15" font-weight="bold" fill="#1f2430">{{ title }}</text>
<text x="{{ width - 16 }}" y="26" text-anchor="end" fill="#5b6270"><tspan fill="#2f6fde">■</tspan> ours\
 <tspan fill="#b9bfca">■</tspan> yardstick</text>
{%- for each in rows %}
<g transform="translate(16 {{ each.top }})">
<text y="12" fill="#1f2430">{{ each.name }}<title>{{ each.note }}</title></text>
<text x="{{ width - 32 }}" y="12" text-anchor="end" fill="#1f2430">{{ each.ratio }}</text>
<rect y="20" width="{{ each.ours }}" height="12" fill="#2f6fde"/>
<text x="{{ each.ours + 6 }}" y="31" fill="#5b6270">{{ each.ours_text }}</text>
<rect y="36" width="{{ each.yardstick }}" height="12" fill="#b9bfca"/>
<text x="{{ each.yardstick + 6 }}" y="47" fill="#5b6270">{{ each.yardstick_text }}</text>
</g>
{%- endfor %}
</svg>
"""


def draw(title: str, figures: Sequence[Figure]) -> str:
    """The figures as SVG; each pair of bars has a scale of its own, for figures have different units."""
    template = jinja2.Environment(autoescape=True).from_string(_PICTURE)
    rows = [_row(place, each) for place, each in enumerate(figures)]
    return template.render(title=title, width=WIDTH, height=TOP + ROW * len(rows), rows=rows)


def _row(place: int, figure: Figure) -> dict[str, object]:
    longest = max(abs(figure.ours), abs(figure.yardstick)) or 1.0

    def bar(value: float) -> float:
        return round(BARS * max(0.0, value) / longest, 1)

    def told(value: float) -> str:
        return f"{value:,.2f} {figure.unit}".strip()

    return {
        "top": TOP + ROW * place,
        "name": figure.name,
        "note": figure.note,
        "ratio": f"× {figure.ratio:.2f}",
        "ours": bar(figure.ours),
        "ours_text": told(figure.ours),
        "yardstick": bar(figure.yardstick),
        "yardstick_text": told(figure.yardstick),
    }
