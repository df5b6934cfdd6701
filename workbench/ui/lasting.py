"""Keep None, True and False alive under Python 3.11, where PySide6 6.12.0 forgets to count them."""

from __future__ import annotations

import ctypes
import sys

FIRST_IMMORTAL = (3, 12)  # from here on these objects are never counted: https://peps.python.org/pep-0683/
PLENTY = 1 << 60  # references; a call a microsecond would need thirty thousand years to use them up


def keep_constants() -> None:
    """Give None, True and False more references than can ever be lost.

    The wheel of PySide6 6.12.0 is built for the stable interface of Python 3.12, where returning None counts nothing.
    Under Python 3.11 each call that returns None, True or False through it loses one reference (measured: 1000 calls of
    QLabel.setText, 1000 references), and after some ten thousand the interpreter aborts. From Python 3.12
    on there is nothing to do.
    """
    if sys.version_info >= FIRST_IMMORTAL or sys.implementation.name != "cpython":
        return
    for constant in (None, True, False, NotImplemented):
        ctypes.c_ssize_t.from_address(id(constant)).value = PLENTY  # PyObject.ob_refcnt comes first in a release build
