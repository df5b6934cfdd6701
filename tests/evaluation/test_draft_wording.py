"""Questions worded by rule."""

from __future__ import annotations

import pytest

from workbench.evaluation.draft_rules import draft_fault, subjects_of
from workbench.evaluation.draft_wording import word_by_rule


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The records of the heads are kept for 12 years.", "For how many years are the records of the heads kept?"),
        ("The limit for a double room is £118 a night.", "How much is the limit for a double room a night?"),
        ("A second bell was fitted on 4 June by the porter.", "When was a second bell fitted by the porter?"),
        ("The old mill was bought in 1911 by a baker.", "In which year was the old mill bought by a baker?"),
        ("The first-aid rota is kept by Rufus Inchbald.", "By whom is the first-aid rota kept?"),
        ("The heavy cables are stored at Cobb Lane.", "Where are the heavy cables stored?"),
        (
            "Unused instruments may be returned within 24 days.",
            "Within how many days may unused instruments be returned?",
        ),
        ("Mill Yard was closed until 16:30 by the police.", "Until what time was Mill Yard closed by the police?"),
        (
            "The evening meal is repaid up to £33.20 with a receipt.",
            "Up to how much is the evening meal repaid with a receipt?",
        ),
        (
            "The mill needs about 13 minutes for a whole sack.",
            "About how many minutes does the mill need for a whole sack?",
        ),
        ("The kitchen cooks 380 meals a day.", "How many meals does the kitchen cook a day?"),
        ("Rye loaves weigh 1,150 grams before baking.", "How many grams do rye loaves weigh before baking?"),
        ("The old choir won £200 at the fair of Lowen.", "How much did the old choir win at the fair of Lowen?"),
        ("The lighting desk has 48 channels.", "How many channels does the lighting desk have?"),
        (
            "Peanuts have been banned from the site since 2011.",
            "Since which year have peanuts been banned from the site?",
        ),
        ("Objects on paper are lent for at most 12 weeks.", "For at most how many weeks are objects on paper lent?"),
        (
            "Smoke machines must be announced 10 days ahead to the porter.",
            "How many days ahead must smoke machines be announced?",
        ),
    ],
)
def test_a_plain_sentence_becomes_the_question_for_its_answer(sentence: str, question: str) -> None:
    [subject] = subjects_of(sentence)
    assert word_by_rule(subject, sentence) == question
    assert draft_fault(question, subject, sentence) == ""


@pytest.mark.parametrize(
    "sentence",
    [
        "The mill grinds about 13 sacks of corn in a morning.",  # no verb that is known
        "The parcels go to the desk at Cobb Lane every morning.",  # the parcels go there, or the desk is there?
        "A single room costs £36 a night more for one person.",  # than what?
        "The goal is to have all of it back within 90 minutes.",  # a goal to have
        "The key that was lost by the porter was found after 12 days.",  # two clauses
        "On weekdays the old mill is open from 9:30 to the evening.",  # its subject stands elsewhere
        "The rate for a car is lower beyond the first 6 of all 400 miles.",  # another figure before it
        "We were paid a lump sum of £60 for the whole of the work.",  # nobody knows who we are
        "The partners were paid a lump sum of £60 for the work.",  # a sum of what?
    ],
)
def test_what_no_rule_fits_is_left_to_the_model(sentence: str) -> None:
    assert [word_by_rule(each, sentence) for each in subjects_of(sentence)] == [""] * len(subjects_of(sentence))
    assert subjects_of(sentence)


def test_a_name_keeps_its_capital_and_another_first_word_does_not() -> None:
    passage = "Granary is copied every night at 01:20. Ask for a key to Granary."
    [subject] = subjects_of(passage)
    assert word_by_rule(subject, passage) == "At what time is Granary copied every night?"
    assert word_by_rule(subject, "Granary is copied every night at 01:20.").startswith("At what time is granary")


@pytest.mark.parametrize(
    "sentence",
    [
        "Puppies are vaccinated at 8 weeks and again at 12 weeks.",
        "The humidity must stay between 45 and 55 percent in the hall.",
        "The keys of the loft are held by Arthur Penney and Joan Tilley.",
        "The metric files are made for PCL 5 printers of the office.",
        "The weight of what was left fell from a lot to 51 grams.",
    ],
)
def test_one_of_several_answers_and_the_number_of_a_name_are_not_asked_for(sentence: str) -> None:
    answers = [each.answer for each in subjects_of(sentence)]
    assert answers in ([], ["12 weeks"]), "only the last of a list says all there is"
