"""Every failure a person can act on, as one small tree.

    WorkbenchError
    ├── InputError            what was asked for cannot be done as it was asked (exit status 2)
    │   ├── MissingFile       a path that is not there, or not of the kind expected
    │   ├── BadDocument       a document that cannot be read; indexing skips it and goes on
    │   ├── BadModel          a model or adapter file that is damaged or of an unknown kind
    │   ├── BadDataset        a training file with nothing to train on, or none that can be read
    │   ├── TooFast           a fine-tune whose learning rate makes its loss explode
    │   ├── BadSuite          a suite with an unknown check, a double id or a missing field
    │   └── BadProject        a project folder that is damaged or made by a newer version
    ├── ProjectBusy           another process is writing to the project
    ├── DiskFull              the disk has no room for what would be written
    ├── TooLittleMemory       loading or training would not fit in memory
    ├── DownloadFailed        a download a person asked for did not come, or did not verify
    ├── ChildCrashed          a worker process ended without being asked to
    └── Cancelled             a person stopped it (exit status 130)

A message is one sentence that says what happened, what was kept and what to do; the cause is chained with ``from``.
Stages raise these and never return None for trouble.
"""

from __future__ import annotations


class WorkbenchError(Exception):
    """The root of every failure a person can act on; ``str(error)`` is a sentence for that person."""

    exit_status = 2

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else self.__class__.__name__


class InputError(WorkbenchError):
    """What was asked for cannot be done as it was asked."""


class MissingFile(InputError):
    """A path that is not there, or is not of the kind expected."""


class BadDocument(InputError):
    """A document that cannot be read; the message is the reason shown beside the skipped file."""


class BadModel(InputError):
    """A model or adapter file that is damaged, or of a kind that cannot be used."""


class BadDataset(InputError):
    """A training file with nothing to train on, or one that cannot be read at all."""


class TooFast(InputError):
    """A fine-tune whose learning rate makes its loss explode; a second argument is the rate to start anew with."""


class BadSuite(InputError):
    """A suite with an unknown check, a double id or a missing field."""


class BadProject(InputError):
    """A project folder that is damaged, or that a newer version wrote."""


class ProjectBusy(WorkbenchError):
    """Another process is writing to the project."""


class DiskFull(WorkbenchError):
    """The disk has no room for what would be written."""


class TooLittleMemory(WorkbenchError):
    """Loading or training would not fit in the memory that is free."""


class DownloadFailed(WorkbenchError):
    """A download a person asked for did not come, or did not verify."""


class ChildCrashed(WorkbenchError):
    """A worker process ended without being asked to; ``details`` holds what it last said, for the curious."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message, details)
        self.details = details


class Cancelled(WorkbenchError):
    """A person stopped it."""

    exit_status = 130
