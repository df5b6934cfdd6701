from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import quick_embedder
from index_checks import check_agreement

from workbench.events import last_result
from workbench.index import build as build_module
from workbench.index.audit import audit
from workbench.index.keywords import Keywords

KILLS = int(os.environ.get("WORKBENCH_KILLS", "8"))  # 50 by hand: WORKBENCH_KILLS=50 make test ARGS=tests/index
FILES = 150
STEPS = 25  # vectors added or files committed, after which a build is killed at the latest; a whole one has 200
SEED = 9

SCRIPT = """
import sys
from pathlib import Path
import pytest
import quick_embedder
from workbench.events import last_result
from workbench.index.build import build
from workbench.index.keywords import Keywords
from workbench.index.store import Store

def noted(self, fingerprint, ids, vectors, files, add=Store.add):
    add(self, fingerprint, ids, vectors, files)
    with open(sys.argv[3], "a") as log:
        log.write("".join(f"{key} {file}\\n" for key, file in zip(ids, files)))
    print("vectors", flush=True)

def told(self, *arguments, commit=Keywords.commit_file):
    commit(self, *arguments)
    print("file", flush=True)

if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        quick_embedder.install(patch)
        patch.setattr(Store, "add", noted)
        patch.setattr(Keywords, "commit_file", told)
        patch.setattr("workbench.index.build.WINDOW", 8)
        last_result(build(Path(sys.argv[1]), (Path(sys.argv[2]),)))
"""


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL there")
def test_whatever_moment_a_build_is_killed_at_nothing_is_lost_or_embedded_twice(
    project: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(SEED)
    write_notes(folder, range(FILES))
    script, log = tmp_path / "killed.py", tmp_path / "embedded.txt"
    script.write_text(SCRIPT)
    roots = [str(Path(build_module.__file__).parents[2]), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(roots)}
    command = [sys.executable, str(script), str(project), str(folder), str(log)]
    killed, whole = 0, False
    for number in range(KILLS):
        if whole or number % 4 == 3:  # edits, so that there is something to do and old vectors have to leave as well
            write_notes(folder, rng.sample(range(FILES), 20), f"Edited {number}. ")
        whole = not kill_one(command, environment, rng.randint(1, STEPS), rng.uniform(0.0, 0.05))
        killed += not whole
    done = committed(project)
    quick_embedder.install(monkeypatch)
    report = last_result(audit(project, (folder,)))
    print(f"killed {killed} of {KILLS}, {done} files were committed by then, {report.build.embedded} chunks were left")
    assert killed and done
    assert report.left == () and report.build.skipped == () and report.build.files == FILES + 4
    check_agreement(project, fresh=True)
    times = Counter(log.read_text().split("\n")[:-1]) if log.exists() else Counter()
    assert [line for line, count in times.items() if count > 1] == []


def write_notes(folder: Path, numbers: object, start: str = "") -> None:
    for number in numbers:  # type: ignore[attr-defined]
        (folder / f"note{number:03}.md").write_text(
            f"# Note {number}\n\n" + "".join(f"{start}Line {line} of note {number}.\n\n" for line in range(30))
        )


def kill_one(command: list[str], environment: dict[str, str], steps: int, after: float) -> bool:
    """Start a build and kill it and its reader some moments after a step; False when it was done before."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True)
    assert child.stdout is not None
    for number, _ in enumerate(child.stdout, start=1):
        if number == steps:
            break
    try:
        child.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
    child.stdout.close()
    return child.wait() < 0


def committed(project: Path) -> int:
    try:
        with Keywords(project / "index") as keywords:
            return keywords.count()[0]
    except FileNotFoundError:
        return 0
