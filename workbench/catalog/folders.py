"""Take in a folder with a model that is no single file: an embedder or a reranker"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from workbench import records
from workbench.catalog import memory
from workbench.catalog.records import Model

WEIGHTS = "model.safetensors"


def take_in(folder: Path, names: Sequence[str], kind: str, file: str = "") -> Model:
    """Take some files of a folder that was looked at, by their names within it; the same weights are taken in once.

    It appears whole or not at all. `file` is what the list of models names as its file. Raises DiskFull.
    """
    from workbench.catalog import models

    digest = records.hash_file(folder / WEIGHTS)
    for each in models.list_models():
        if each.sha256 == digest and each.path is not None:
            return each
    size = sum((folder / each).stat().st_size for each in names)
    needed, name = memory.estimate_embedder(size), models.free_name(folder.name)
    model = Model(
        name=name,
        title=folder.name,
        kind=kind,
        license="not stated",
        size=size,
        memory=needed,
        source="imported",
        file=file,
        sha256=digest,
        fits=memory.fits(needed),
    )
    with models.unfinished_folder(name) as made:
        for each_name in names:
            (made / each_name).parent.mkdir(exist_ok=True)
            if each_name.endswith(".safetensors"):
                models.link_or_copy(folder / each_name, made / each_name)
            else:
                shutil.copyfile(folder / each_name, made / each_name)
        return models.finish(made, model)
