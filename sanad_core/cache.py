"""Keeps what data files compile to, so that the next start need not read and check them again.

A cached value is found by what it was made of: the bytes of its files and of the code that reads
them. It is written only for files without a problem, into the user's own cache folder, and read
only from files that belong to the user and that nobody else can write; it can hold nothing but
values of the core and of the package that keeps it. Anything odd means: make it again.
`SANAD_CACHE=off` switches it off; another value names a folder.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["cached"]

log = logging.getLogger("sanad")

T = TypeVar("T")
CORE = "sanad_core"
MOST_FILES = 40  # kept in the folder; the oldest go first


def cached(kind: type[T], name: str, files: Iterable[Path], make: Callable[[], T]) -> T:
    """A value made from files, kept for the next start.

    Args:
        kind: the value's type; anything else in the cache is ignored, and its package is the code
            that the value depends on.
        name: what it is, such as `lexicon-en`; part of the file's name.
        files: what it is made of.
        make: makes it; what this raises is raised, and nothing is kept.

    Returns:
        The value, read or made.
    """
    folder = _folder()
    if folder is None:
        return make()
    package = kind.__module__.partition(".")[0]
    path = folder / f"{name}-{_digest(package, files)}.pickle"
    value = _read(path, package)
    if not isinstance(value, kind):
        value = make()
        _write(path, value)
    return value


def _folder() -> Path | None:
    wanted = os.environ.get("SANAD_CACHE", "")
    if wanted == "off" or not hasattr(os, "getuid"):
        return None
    return Path(wanted) if wanted else Path(platformdirs.user_cache_dir("sanad-core"))


@cache
def _code(package: str) -> str:
    """A digest of the code that makes and reads the values of a package."""
    digest = hashlib.sha256(sys.version.encode())
    for name in dict.fromkeys((CORE, package)):
        file = getattr(sys.modules[name], "__file__", None)
        for path in sorted(Path(file).parent.glob("*.py")) if file else ():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _digest(package: str, files: Iterable[Path]) -> str:
    digest = hashlib.sha256(_code(package).encode())
    for path in files:
        digest.update(str(path).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


class _Unpickler(pickle.Unpickler):
    """Makes nothing but the core's and one package's own values and what they are built of."""

    def __init__(self, file: IO[bytes], package: str) -> None:
        super().__init__(file)
        self._own = (CORE, package)

    def find_class(self, module: str, name: str) -> Any:
        """A class of these packages, or one of the few others that their values hold."""
        if module.partition(".")[0] in self._own or (module, name) in _BUILT_OF:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not expected here")


_BUILT_OF = {
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("re", "_compile"),
    ("collections", "Counter"),
}


def _read(path: Path, package: str) -> object:
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            if about.st_uid != os.getuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return None
            return _Unpickler(file, package).load()
    except FileNotFoundError:
        return None
    except Exception as err:
        log.debug("a cached file was not used: %s", type(err).__name__)
        return None


def _write(path: Path, value: object) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            pickle.dump(value, file, protocol=pickle.HIGHEST_PROTOCOL)
        Path(file.name).replace(path)
        files = sorted(path.parent.glob("*.pickle"), key=lambda old: old.stat().st_mtime)
        for old in files[:-MOST_FILES]:
            old.unlink(missing_ok=True)
    except Exception as err:
        log.debug("a file was not cached: %s", type(err).__name__)
