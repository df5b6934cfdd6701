"""The doctor sees what is there and what is broken, and never falls ill itself."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench import paths, processor
from workbench.catalog import doctor
from workbench.catalog.records import Check
from workbench.errors import MissingFile
from workbench.events import Progress


@pytest.mark.slow
def test_everything_is_looked_at_in_a_few_seconds(tmp_path: Path) -> None:
    began = time.perf_counter()
    checks = {each.name: each for each in doctor.check(tmp_path)}
    assert time.perf_counter() - began < 3 * doctor.PATIENCE
    assert {"Python", "Model engine", "Graphics card", "Memory", "Disk", "Project folder", "Network"} <= set(checks)
    assert checks["Starter model"].state == checks["Starter embedder"].state == "ok"
    assert all(each.finding.endswith(".") for each in checks.values())
    assert all(each.mend for each in checks.values() if each.state == "bad")


def test_nothing_heavy_is_loaded_in_this_process() -> None:
    program = (
        "import sys; from workbench.catalog import doctor; doctor.ask = lambda program: (None, ''); doctor.check();"
        "print([name for name in ('torch', 'llama_cpp', 'PySide6', 'chromadb', 'transformers') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_a_probe_that_crashes_is_an_answer() -> None:
    answer, why = doctor.ask("import os; os.kill(os.getpid(), 11)")
    assert answer is None and "signal 11" in why


def test_a_probe_that_does_not_end_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PATIENCE", 0.2)
    answer, why = doctor.ask("import time; time.sleep(30)")
    assert answer is None and "no answer" in why


def test_a_machine_too_busy_to_answer_is_not_called_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PATIENCE", 0.2)
    monkeypatch.setattr(doctor, "ENGINE", "import time; time.sleep(30)")
    found = doctor._engine()
    assert found.state == "warn" and "too busy" in found.finding and "pip" not in found.mend


def test_it_says_what_it_waits_for_and_leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ENGINE", "import time; time.sleep(600)")
    monkeypatch.setattr(doctor, "PATIENCE", 600.0)
    stage = doctor.examine()
    for event in stage:
        if isinstance(event, Progress) and event.note == "looking at model engine":
            break
    stage.close()
    assert not doctor._probes


def test_an_engine_that_does_not_load_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ENGINE", "raise ImportError('libllama.so: cannot open')")
    found = doctor._engine()
    assert found.state == "bad" and "libllama.so" in found.finding and "pip install" in found.mend


def test_several_cards_are_named_with_how_a_model_lies_on_them(monkeypatch: pytest.MonkeyPatch) -> None:
    spread = "A and B, by layers 3 : 1"
    monkeypatch.setattr(doctor, "ask", lambda program: (["0.3.36", "CPU : AVX2 = 1 | ", ["A", "B"], spread], ""))
    monkeypatch.setattr(processor, "features", lambda: frozenset())
    found = doctor._engine()
    assert found.state == "ok" and f"lies on {spread} (Settings)" in found.finding and "was not run" in found.finding


def test_an_engine_built_for_the_processor_alone_beside_a_card_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    cards: list[str] = []
    monkeypatch.setattr(doctor, "ask", lambda program: (["0.3.36", "CPU : AVX2 = 1 | ", cards], ""))
    monkeypatch.setattr(processor, "features", lambda: frozenset())
    monkeypatch.setattr(doctor, "_cards", lambda: "NVIDIA H200, 143771 MiB")
    assert doctor._engine().state == "warn" and "GGML_CUDA" in doctor._engine().mend
    cards.append("NVIDIA H200")
    assert doctor._engine().state == "ok" and "compute on NVIDIA H200" in doctor._engine().finding


def test_a_gcc_build_on_a_processor_with_amx_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ask", lambda program: (["0.3.36", "CPU : AVX2 = 1 | FMA = 0 | "], ""))
    monkeypatch.setattr(processor, "features", lambda: frozenset({"amx_tile"}))
    monkeypatch.setattr(doctor, "_compiler", lambda: "gcc (Debian 12.2.0-14) 12.2.0")
    found = doctor._engine()
    assert found.state == "warn" and "AVX2" in found.finding and "FMA" not in found.finding
    monkeypatch.setattr(doctor, "_compiler", lambda: "Debian clang version 16.0.6")
    assert doctor._engine().state == "ok"


def test_a_card_that_torch_cannot_use_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.platform, "system", lambda: "Linux")
    monkeypatch.setattr(doctor.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(doctor, "_output", lambda command: "NVIDIA H200, 143771 MiB")
    monkeypatch.setattr(doctor, "ask", lambda program: ([False, ""], ""))
    assert doctor._gpu().state == "warn"
    monkeypatch.setattr(doctor, "ask", lambda program: ([True, "13.0"], ""))
    assert doctor._gpu() == Check(
        "Graphics card", "ok", "NVIDIA H200, 143771 MiB; torch drives it with CUDA 13.0, so fine-tunes run on it."
    )


def test_a_missing_or_altered_starter_is_bad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    altered = tmp_path / "starter.gguf"
    altered.write_bytes(b"other")
    monkeypatch.setattr(paths, "starter_model", lambda: altered)
    assert "hash differs" in doctor._included("chat").finding

    def missing() -> Path:
        raise MissingFile("The starter model is not installed.")

    monkeypatch.setattr(paths, "starter_model", missing)
    assert doctor._included("chat").state == "bad"


def test_a_folder_that_cannot_be_written_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    assert doctor._folder("Project folder", tmp_path / "not" / "yet").state == "ok"
    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    assert doctor._folder("Project folder", tmp_path).state == "bad"


def test_a_look_that_fails_does_not_hide_the_others() -> None:
    def broken() -> Check:
        raise RuntimeError("odd")

    assert doctor._safely(broken).state == "warn"
