"""Invented names and values for the reading rows: towns, people, prices, codes, none of them of the sample company."""

from __future__ import annotations

import random
import string
from collections.abc import Callable


def _listed(words: str) -> list[str]:
    return words.split()


_MONTHS = _listed("January February March April May June July August September October November December")
_DAYS = _listed("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_FIRST = _listed(
    "Alma Boris Carmen Dilip Edda Fergus Greta Hamid Irma Jonas Keiko Leopold Mirela Nils Odette Pascal "
    "Quentin Renata Soren Thea Ugo Vesna Walter Xenia Yvonne Zoltan Agnes Bruno Cosima Dario Elke Farah "
    "Gustav Hilde Imran Joan Kamal"
)
_LAST = _listed(
    "Abelson Brightwater Castell Dunmore Eklund Farrow Gantry Hollis Imhof Jansky Kettle Lomax Marsden Novak "
    "Okafor Pendry Quill Rasmussen Sabo Thorne Ulrich Varga Wexler Yates Zeller Barlow Corrigan Delgado Finch "
    "Grady Hale Ito"
)
_TOWN_HEADS = _listed(
    "Al Bor Car Dren Elm Far Gold Hart Ips Jar Kel Lan Mor Nor Ost Pel Ren Sal Tor Ul Ver Wal Yar Zel"
)
_TOWN_TAILS = _listed("bury dorf field gate haven kirk lund mere ness port ridge sted ton vik wick worth")
_THINGS: dict[str, tuple[str, str]] = {
    "street": (
        "Rope Salt Candle Foundry Swan Linden Convent Tanner Prince Bishop Barley Ferry Anvil Cooper Garden Tower",
        "Street Lane Row Square Walk Alley Hill Steps Court",
    ),
    "museum": (
        "Harbour Clock Lantern Textile Whaling Puppet Railway Tile Glass Coin Garrison Orchid Bell Ballad",
        "Museum House Hall Gallery Theatre",
    ),
    "machine": (
        "Titan Delta Rapid Nimbus Comet Vulcan Ranger Falcon Mammoth Pilot Zephyr Orion",
        "40 90 X2 X7 300 550 R8 M3 Plus 12B",
    ),
    "product": (
        "Alpine Velvet Nordic Copper Marine Junior Royal Summit Classic Granite Pocket Ivory",
        "kettle lamp backpack scale heater tent drill mixer jacket toaster saddle fan",
    ),
    "dish": (
        "Ardan Bellan Cresta Dolmi Fenna Gorvi Halva Isken Jelka Korva Lumi Mosta Nerri Ostri",
        "bread tart cake pie roll bun",
    ),
    "cheese": (
        "Ardan Bellan Cresta Dolmi Fenna Gorvi Halva Isken Jelka Korva Lumi Mosta",
        "Blue Red Grey White Smoked Old",
    ),
    "plant": (
        "Silver Dwarf Winter Golden Marsh Giant Black Sand Crimson Hairy",
        "sorrel pea lupin bean mallow leek poppy kale fennel chard",
    ),
    "animal": (
        "mountain dwarf striped river long-eared spotted northern grey crested woolly",
        "goat hare otter pony owl sheep duck fox ferret donkey",
    ),
    "firm": (
        "Albrecht Bexley Corvin Drummond Elstree Fairbank Gresham Hollander Inverlock Jessop Kendrick Lindow Mercer",
        "Bank Foods Textiles Logistics Paper Shipping Optics Brewing Toys Cement",
    ),
    "school": ("Saint-Anne Weir Chestnut Upper Cathedral Heron Grammar Market New Beacon", "School College Academy"),
    "club": (
        "Riverside Eastern Old United Miners' Station Valley Lighthouse Saddlers' Northern",
        "beekeepers chess-club choir archers ramblers rowing-club gardeners stamp-club",
    ),
    "ship": (
        "Aurora Blue Constance Daring Evening Faithful Grey Helena Island Jolly Lucky Merry",
        "Star Heron Maid Spirit Queen Rose Tide Hope",
    ),
    "site": (
        "Heather Kestrel Otter Pine Stone Windy Fern Mossy Raven Amber Thistle Larch",
        "Ridge Bank Meadow Point Fell Common Bay Down",
    ),
    "clinic": (
        "Elder Saint-Luke Park Rosewood Harbour Juniper Maple Southern Hazel Saint-Clare",
        "Clinic Hospital Infirmary",
    ),
    "material": (
        "Tecta Marlo Granit Pelox Durano Varin Solmar Corvit Lumex Hadrol",
        "20 55 Plus Extra S Forte",
    ),
    "device": (
        "Brava Castor Electra Gemini Hydra Juno Kepler Lyra Mistral Nova Pavo",
        "100 220 S4 Max K2 E5 Uno 75",
    ),
    "app": (
        "Paper Note Cash Trip Cloud Shift Stock Team Route Plan",
        "Wren Nest Pilot Board Flow Desk Keeper Mate",
    ),
}


def entity(kind: str, pick: random.Random) -> str:
    """A name for something of `kind`."""
    if kind == "place":
        return pick.choice(_TOWN_HEADS) + pick.choice(_TOWN_TAILS)
    if kind == "person":
        return f"{pick.choice(_FIRST)} {pick.choice(_LAST)}"
    first, second = (words.split() for words in _THINGS[kind])
    joined = pick.choice(first) + ("" if kind == "app" else " ") + pick.choice(second)
    return joined.replace("-club", " club").replace("Saint-", "Saint ")


def value(recipe: str, pick: random.Random) -> str:
    """A value for a slot: `recipe` is a word of RECIPES with its bounds, as in `int 5 40 items`."""
    name, _, rest = recipe.partition(" ")
    return RECIPES[name](rest, pick)


def _between(rest: str, pick: random.Random) -> tuple[int, str]:
    low, high, *unit = rest.split(" ", 2)
    return pick.randint(int(low), int(high)), " ".join(unit)


def _integer(rest: str, pick: random.Random) -> str:
    number, unit = _between(rest, pick)
    return f"{number} {unit}".strip()


def _decimal(rest: str, pick: random.Random) -> str:
    number, unit = _between(rest, pick)
    return f"{number}.{pick.randint(1, 9)} {unit}".strip()


def _price(rest: str, pick: random.Random) -> str:
    number, _ = _between(rest, pick)
    amount = f"{number}" if number >= 100 or pick.random() < 0.4 else f"{number}.{pick.randrange(5, 100, 5):02d}"
    return pick.choice(["£{}", "£{}", "€{}", "{} crowns", "{} euros", "{} pounds"]).format(amount)


def _date(rest: str, pick: random.Random) -> str:
    return f"{pick.randint(1, 28)} {pick.choice(_MONTHS)} {pick.randint(1995, 2027)}"


def _time(rest: str, pick: random.Random) -> str:
    return f"{pick.randint(5, 22):02d}:{pick.randrange(0, 60, 5):02d}"


def _code(rest: str, pick: random.Random) -> str:
    letters = {"L": string.ascii_uppercase, "d": string.digits}
    return "".join(pick.choice(letters[mark]) if mark in letters else mark for mark in rest)


def _span(unit: str) -> Callable[[str, random.Random], str]:
    return lambda rest, pick: f"{_between(rest, pick)[0]} {unit}"


RECIPES: dict[str, Callable[[str, random.Random], str]] = {
    "int": _integer,
    "dec": _decimal,
    "price": _price,
    "date": _date,
    "time": _time,
    "code": _code,
    "days": _span("days"),
    "weeks": _span("weeks"),
    "months": _span("months"),
    "minutes": _span("minutes"),
    "year": lambda rest, pick: str(_between(rest, pick)[0]),
    "percent": lambda rest, pick: f"{pick.randint(2, 88)}.{pick.randint(1, 9)} percent",
    "month": lambda rest, pick: pick.choice(_MONTHS),
    "weekday": lambda rest, pick: pick.choice(_DAYS),
    "letter": lambda rest, pick: pick.choice(string.ascii_uppercase),
    "phone": lambda rest, pick: f"0{pick.randint(200, 990)} {pick.randint(100, 999)} {pick.randint(100, 999)}",
    "pick": lambda rest, pick: pick.choice(rest.split(", ")),
    "person": lambda rest, pick: entity("person", pick),
    "place": lambda rest, pick: entity("place", pick),
    "street": lambda rest, pick: entity("street", pick),
}
