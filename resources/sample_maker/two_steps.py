"""Piles of the reading rows whose answers take two steps: one passage names a person, another tells of the person.

The answer takes both: it names the person, and then what is told of them.
"""

from __future__ import annotations

import random

from sample_maker.kinds import PassageKind
from sample_maker.origins import Matter, origin
from sample_maker.sheets import Sheet
from sample_maker.telling import padded
from sample_maker.values import entity, value

_ROLES = [
    "treasurer",
    "secretary",
    "harbour master",
    "head gardener",
    "choirmaster",
    "bursar",
    "night porter",
    "archivist",
    "vet",
    "surveyor",
    "safety officer",
    "caretaker",
]
_OFFICERS = Matter("officers", "club", ("Who is who", "Officers", "Posts"))
_HOLDINGS = (
    (
        Matter("keeping", "club", ("Things in keeping", "Valuables")),
        "{n} keeps the {o} in {v}.",
        (
            ("Where is the {o} of {e} kept by its {r}?", "{n}, the {r} of {e}, keeps the {o} in {v}"),
            ("In what place does the {r} of {e} have the {o}?", "The {r} of {e}, {n}, has the {o} in {v}"),
        ),
        "pick the cellar, the tower, a tin trunk, the vestry, the boathouse",
    ),
    (
        Matter("contacts", "club", ("Contacts", "Telephone list")),
        "{n} can be reached on {v}.",
        (
            ("Under which number does one reach the {r} of {e}?", "One reaches {n}, the {r} of {e}, on {v}"),
            ("How do I ring the {r} of {e}?", "You ring {n}, the {r} of {e}, on {v}"),
        ),
        "phone",
    ),
    (
        Matter("addresses", "club", ("Addresses",)),
        "{n} lives in {v}.",
        (
            ("In which street does the {r} of {e} live?", "The {r} of {e}, {n}, lives in {v}"),
            ("Where is the home of the {r} of {e}?", "The home of {n}, the {r} of {e}, is in {v}"),
        ),
        "street",
    ),
    (
        Matter("absences", "club", ("Absences", "Who is away")),
        "{n} is away until {v}.",
        (
            ("When does the {r} of {e} come back?", "The {r} of {e}, {n}, comes back on {v}"),
            ("Until what day must one do without the {r} of {e}?", "One does without {n}, the {r} of {e}, until {v}"),
        ),
        "date",
    ),
    (
        Matter("cars", "club", ("Car park", "Cars")),
        "{n} drives the car with the plate {v}.",
        (
            ("What plate is on the car of the {r} of {e}?", "On the car of {n}, the {r} of {e}, is the plate {v}"),
            ("By which plate do I know the car of the {r} of {e}?", "You know the car of {n}, the {r} of {e}, by {v}"),
        ),
        "code LLL dddd",
    ),
)
_OBJECTS = ["seal", "charter", "silver cup", "cash box", "flag", "deed"]


def two_steps(kind: PassageKind, kinds: list[PassageKind], pick: random.Random) -> list[Sheet]:
    """One passage names two people, another tells about one of them; between them the question is answered."""
    matter, fact, questions, recipe = pick.choice(_HOLDINGS)
    role, other = pick.sample(_ROLES, 2)
    thing = pick.choice(_OBJECTS)
    homes = pick.sample(["club", "school", "museum"], 2)
    pairs = [(entity(home, pick), entity("person", pick), value(recipe, pick)) for home in homes]
    if pairs[0][1] == pairs[1][1] or pairs[0][2] == pairs[1][2]:
        return two_steps(kind, kinds, pick)
    who = " ".join(f"The {role} of the {home} is {person}." for home, person, _ in pick.sample(pairs, 2))
    named = tuple(
        (f"Who is the {role} of the {home}?", f"The {role} of the {home} is {person}") for home, person, _ in pairs
    )
    sheets = [Sheet(origin(_OFFICERS, pairs[0][0], False, "prose", pick), padded(who, pick), named)]
    home, person, found = pairs[0]
    place = origin(matter, person, False, "prose", pick)
    question, answer = (
        each.format(e=f"the {home}", r=role, o=thing, n=person, v=found) for each in pick.choice(questions)
    )
    silent = pick.choice(questions)[0].format(e=f"the {home}", r=other, o=thing)
    text = padded(fact.format(n=person, v=found, o=thing), pick)
    return [*sheets, Sheet(place, text, ((question, answer),), (silent,))]
