"""What the model hub says about a model's files, and where they are. The only home of huggingface_hub.

The bytes themselves are drawn by `download.py`, which can be stopped within half a second.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from workbench import paths, records
from workbench.catalog.embedders import WANTED
from workbench.catalog.records import Model
from workbench.errors import DownloadFailed

PUBLIC_HUB = "https://huggingface.co"
TIMEOUT = 15.0  # seconds the hub has to answer a question


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a repository, at one commit."""

    name: str  # path in the repository
    size: int  # bytes
    url: str
    sha256: str  # as the hub states it; "" for small files kept in git itself
    git_sha1: str  # git's own hash of such a file; "" where sha256 is known


def hub_address() -> str:
    """The hub to ask: HF_ENDPOINT (a mirror inside a company, a test), or the public one."""
    return (os.environ.get("HF_ENDPOINT") or PUBLIC_HUB).rstrip("/")


def list_files(model: Model) -> tuple[HubFile, ...]:
    """The files to fetch for a model. Raises DownloadFailed with what the hub answered."""
    from huggingface_hub import HfApi, hf_hub_url
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    note_connection(f"{hub_address()}/api/models/{model.source}", f"list the files of {model.name}")
    try:
        with _online():
            api = HfApi(endpoint=hub_address())
            info = api.model_info(model.source, files_metadata=True, timeout=TIMEOUT)
    except GatedRepoError as error:
        raise DownloadFailed(
            f"{model.source} wants its licence accepted first: do so on the hub's page, run `hf auth login`, try again."
        ) from error
    except RepositoryNotFoundError as error:
        raise DownloadFailed(f"The hub knows no {model.source}: it was moved or withdrawn.") from error
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise DownloadFailed(_unreachable(error)) from error
    except Exception as error:  # the transport's own errors, whichever library that is in this version
        if type(error).__module__.split(".")[0] not in ("httpx", "httpcore", "requests", "urllib3"):
            raise
        raise DownloadFailed(_unreachable(error)) from error
    found = []
    for each in info.siblings or ():
        if each.rfilename == model.file or (model.kind == "embedding" and WANTED.fullmatch(each.rfilename)):
            url = hf_hub_url(model.source, each.rfilename, revision=info.sha, endpoint=hub_address())
            sha256 = each.lfs.sha256 if each.lfs else ""
            found.append(HubFile(each.rfilename, each.size or 0, url, sha256, "" if sha256 else each.blob_id or ""))
    if not found:
        raise DownloadFailed(f"{model.source} no longer holds {model.file or 'the files of an embedder'}.")
    return tuple(found)


def request_headers() -> dict[str, str]:
    """The headers of a download: the person's own token where they logged in to the hub, and nothing else of theirs."""
    from huggingface_hub import get_token

    token = get_token()
    return {"User-Agent": "workbench", **({"Authorization": f"Bearer {token}"} if token else {})}


def note_connection(address: str, why: str) -> None:
    """Write down a connection that leaves this machine, before it is made."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    records.append_line(connections_file(), {"time": now, "address": address.partition("?")[0], "why": why})


def connections_file() -> Path:
    """Every connection the program ever made, one a line."""
    return paths.user_data() / "connections.jsonl"


def _unreachable(error: Exception) -> str:
    return (
        f"The hub at {hub_address()} could not be reached ({type(error).__name__}): check the network, "
        "or fetch the file elsewhere and use `workbench models import FILE`."
    )


@contextlib.contextmanager
def _online() -> Iterator[None]:
    """Let huggingface_hub use the network in here: everywhere else the program keeps it switched off."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
