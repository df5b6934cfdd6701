from __future__ import annotations

import base64
import dataclasses
import hashlib
import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_up import LANES, make_evaluation, make_passage, make_result, make_suite, telling

from workbench.advice.verdict import decide
from workbench.evaluation.records import Case, CaseResult, Evaluation, Suite
from workbench.evaluation.statistics import paired_effect
from workbench.evaluation.summary import summarise
from workbench.report.charts import by_chance
from workbench.report.page import write_report
from workbench.tuning.recipe import RunInfo

EVIL = '<script>alert(1)</script><img src=x onerror=alert(2)>"\' onmouseover="x'


class Tags(HTMLParser):
    """Collects the tags and attributes a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def tags_of(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(page)
    return parser.tags


def write(tmp_path: Path, evaluation: Evaluation, suite: Suite, **more: object) -> str:
    verdict = decide(evaluation, suite)
    path = write_report(tmp_path / "report.html", evaluation, suite, verdict, title="Kestrel", **more)  # type: ignore[arg-type]
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    suite = make_suite()
    run = RunInfo(
        *("tickets", Path("/runs/tickets"), "done", "The held-out loss fell.", 40, 40),
        tuple((step, 3.0 / step) for step in range(1, 41)),
        tuple((step, 2.0 / (step + 1)) for step in range(0, 41, 8)),
        *(190.0, 400.0, "2026-11-21"),
    )
    more = {"runs": (run,), "index": {"files": 3, "chunks": 40, "seconds": 2.5, "skipped": []}}
    return write(tmp_path_factory.mktemp("report"), make_evaluation(suite, telling), suite, **more)


def test_the_page_says_the_verdict_and_every_case(page: str) -> None:
    text = html.unescape(re.sub(r"<[^>]+>", " ", page))
    assert "Use your documents and the fine-tune together." in text
    assert "What is fact 59?" in text and "Who is number 19?" in text
    assert page.count('<details class="case"') == 120
    assert "Indexing took" in text and "2.5 s" in text
    assert "held out 0.05" in text


def test_a_kind_that_nothing_helped_with_is_not_said_to_need_no_more_than_the_bare_model(tmp_path: Path) -> None:
    suite = make_suite()
    text = write(
        tmp_path, make_evaluation(suite, lambda lane, case, number: case.kind == "fact" and "rag" in lane), suite
    )
    assert "nothing tried here helped enough" in text and "the bare model does no worse" not in text


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    tags = tags_of(page)
    assert not {tag for tag, _ in tags} & {"link", "img", "iframe", "object", "embed", "form", "base", "a"}
    assert not [attrs for _, attrs in tags if {"src", "href", "action", "srcset"} & set(attrs)]
    assert "http" not in page.replace("http-equiv", "")
    assert "url(" not in page and "@import" not in page


def test_the_policy_forbids_the_network_and_names_the_only_script(page: str) -> None:
    policy = next(attrs["content"] for tag, attrs in tags_of(page) if attrs.get("http-equiv"))
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script is not None and policy is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy and policy.startswith("default-src 'none'")
    assert page.count("<script") == 1


def test_untrusted_text_stays_text_wherever_it_stands(tmp_path: Path) -> None:
    case = Case(EVIL, EVIL, EVIL, ({"contains": [EVIL]},), source=EVIL, tags=(EVIL,))
    suite = Suite(tmp_path / "s.yaml", EVIL, (case,), EVIL)

    def result(lane: str) -> CaseResult:
        passages = (dataclasses.replace(make_passage(EVIL, EVIL), location=EVIL),)
        found = make_result("rag", case, False, text=EVIL, passages=passages, retrieved=passages)
        return dataclasses.replace(found, lane=lane, kind=EVIL)

    lanes = ("base", EVIL)
    results = tuple(result(lane) for lane in lanes)
    evaluation = dataclasses.replace(
        make_evaluation(make_suite(1, 0, 0), lambda *_: False, lanes),
        lanes={each.lane: summarise(each.lane, [each], suite.cases) for each in results},
        suite=EVIL,
        name=EVIL,
        results=results,
        canaries=dict.fromkeys(lanes, EVIL),
        made_with={"build": EVIL, "lanes": {EVIL: {"definition": {"system": EVIL}}}},
    )
    page = write(tmp_path, evaluation, suite, machine={EVIL: EVIL}, timings={EVIL: 1.0}, index={"files": EVIL})
    tags = tags_of(page)
    assert sum(tag == "script" for tag, _ in tags) == 1
    assert not [tag for tag, _ in tags if tag == "img"]
    assert not [attrs for _, attrs in tags if any(name.startswith("on") for name in attrs)]


def test_the_rates_are_those_of_the_evaluation(page: str) -> None:
    evaluation = make_evaluation(make_suite(), telling)
    for lane in LANES:
        rate = evaluation.lanes[lane].overall
        assert f"<b>{100 * rate.rate:.0f} %</b>" in page and f"<small>{rate.passed} of 120</small>" in page


@pytest.mark.parametrize("lanes", [("base",), ("rag", "mine"), ("tuned:a", "tuned:b", "base")])
def test_any_lanes_make_a_page(lanes: tuple[str, ...], tmp_path: Path) -> None:
    suite = make_suite(3, 0, 1)
    page = write(tmp_path, make_evaluation(suite, lambda lane, case, n: n % 2 == 0, lanes), suite)
    assert page.count('<details class="case"') == 4


def test_an_empty_run_makes_no_curve(tmp_path: Path) -> None:
    suite = make_suite(2, 0, 0)
    run = RunInfo("x", Path("/x"), "stopped", "Stopped.", 0, 10, (), (), 0.0, 0.0, "2026-11-21")
    assert "<figure>" not in write(tmp_path, make_evaluation(suite, telling), suite, runs=(run,))


def test_a_page_of_120_cases_stays_small(page: str) -> None:
    assert len(page) < 2_000_000


def test_the_noise_stands_behind_each_difference_and_what_may_be_chance_is_pale(tmp_path: Path) -> None:
    suite = make_suite()
    page = write(tmp_path, make_evaluation(suite, telling), suite)
    plots = re.findall(r'class="plot mini"><i class="noise" style="left:([\d.]+)%;width:([\d.]+)%"', page)
    kinds = {float(width) for _, width in plots}
    assert len(plots) == page.count('class="plot mini"') > 12 and len(kinds) == 3  # wider over fewer cases
    sure = paired_effect("retrieval", "rag", "base", [True] * 30, [False] * 30)
    assert not by_chance(sure) and by_chance(dataclasses.replace(sure, holm_p=0.2))
    assert by_chance(dataclasses.replace(sure, name="interaction", interval=(-0.1, 0.2), holm_p=1.0))
