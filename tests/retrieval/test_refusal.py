from __future__ import annotations

import pytest

from workbench.retrieval.refusal import is_refusal


@pytest.mark.parametrize(
    "text",
    [
        "I could not find this in the documents.",
        "I don't know.",
        "I don’t know the answer to that.",
        "Sorry, I cannot help with that.",
        "I'm sorry, but I can't find that information in the provided passages.",
        "Unfortunately, the documents do not mention the X4.",
        "The provided text doesn't say who designed it.",
        "There is no information about the X4 in the documents.",
        "No information is available on this.",
        "The release date is not mentioned in the passages.",
        "It is not specified.",
        "The price of the S2 is not given in the documents.",
        "I don't have enough information to answer.",
        "I do not have access to your order number.",
        "I have no information about that.",
        "The answer cannot be determined from the context.",
        "It could not be found in the documents.",
        "I'm not sure.",
        "Not mentioned in the documents.",
        "N/A",
        "unknown",
        "Based on the passages, it is not stated when the X4 comes out.",
        "None of the documents mention this.",
        "The passages contain no mention of an aircraft certificate.",
        "I am unable to determine this from the provided context.",
        "We do not know when it ships.",
        "The question asks about the X4. The documents do not mention it.",
        "I cannot answer this question based on the documents.",
        "I don't know what the price is.",
        "I couldn't find the release date, but you can contact support.",
        "**I could not find this in the documents.**",
        "The release date is unknown.",
        "I could not find this in the documents",
        "Sorry, I can't find it. It is not in there.",
        "Unfortunately, I wasn't able to find that.",
        "I do not have information about the X4.",
        "The documents provided do not contain information about that.",
        "There is no mention of aircraft in the given passages.",
        "I cannot determine the answer from the passages.",
        "It’s not specified in the handbook.",
    ],
)
def test_an_honest_refusal_is_recognised(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "I don't know anyone who makes better speakers than Kestrel.",
        "I don't know of a better option than the X2.",
        "The warranty does not cover water damage.",
        "The X2 is not available in Norway.",
        "Water damage is not covered.",
        "You cannot find the X2 in shops.",
        "The remote is not included in the box.",
        "There is no charge for returns.",
        "I know that it is 36 months.",
        "I don't know, but I think it is 24 months.",
        "I could not find this in the documents, but it is probably 24 months.",
        "36 months.",
        "The X2 takes 110 V. It is not mentioned whether it takes 230 V.",
        "No.",
        "None of the cables are balanced.",
        "The cable cannot be found under the amplifier.",
        "No detail is too small for us.",
        "I'm not sure, but I think it is 36 months.",
        "It is known as the X2.",
        "The fault was not found in later batches.",
        "There is no fan in the X2.",
        "If you don't know the code, call support.",
        "Two years [1].",
        '{"category": "unknown"}',
        "I can help with that. The warranty is two years.",
        "The batch number is not listed on the box.",
        "The X2 does not have a data port.",
        "You can say you do not know the serial number.",
        "I can't recommend more than 5 watts.",
        "The manual says you should not open the case.",
        "No, returns are not possible after 30 days.",
        "I don't know, however it should be two years.",
        "We did not know about the fault until May, when batch 7 was recalled.",
        "There is no fee.",
        "The information desk is not open on Sundays.",
    ],
)
def test_an_answer_is_not_taken_for_a_refusal(text: str) -> None:
    assert not is_refusal(text)


def test_no_text_is_no_refusal() -> None:
    assert not is_refusal("") and not is_refusal(" \n")


def test_a_long_text_is_looked_at_in_a_moment() -> None:
    assert not is_refusal("no " * 20_000)
    assert not is_refusal("I do not " * 5_000 + "x")
