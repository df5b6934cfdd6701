"""What a person chose on the Documents page is how the index is cut."""

from __future__ import annotations

import pytest

from workbench.documents.chunk import Cutting
from workbench.index.files import cutting_of
from workbench.project import Project


@pytest.mark.parametrize(
    ("kept", "size"),
    [(None, Cutting().size), ({"size": 96, "overlap": 12}, 96), ({"size": "x"}, Cutting().size), (7, Cutting().size)],
)
def test_the_choice_is_kept_in_the_project(project: Project, kept: object, size: int) -> None:
    project.change(options={"cutting": kept})
    assert cutting_of(Project.open(project.folder)).size == size
