"""Opens a store by its URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sanad_core.errors import PluginError, StoreError
from sanad_core.plugins import Catalog

if TYPE_CHECKING:
    from sanad_core.store import Store

__all__ = ["open_store"]


def open_store(url: str, catalog: Catalog | None = None) -> Store:
    """The store that a URL names; its `open` is not called yet.

    Args:
        url: `memory:`, `sqlite:PATH`, or the scheme of a plugin.
        catalog: where to look for it.

    Raises:
        StoreError: no plugin has that scheme.
    """
    scheme, colon, place = url.partition(":")
    if not colon:
        raise StoreError(f"'{url}' is not a store; write memory: or sqlite:PATH")
    try:
        store: Any = (catalog or Catalog()).spec("store", scheme).make(place)
    except PluginError as err:
        raise StoreError(f"no store is named '{scheme}': {err}") from None
    known: Store = store
    return known
