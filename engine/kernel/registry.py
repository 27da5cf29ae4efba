"""Registries are filled while the application is assembled, then closed."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class RegistryClosed(RuntimeError):
    """Something tried to register after start; registrations belong into modules that the loader imports."""


class DuplicateName(RuntimeError):
    """Two registrations claim one name."""


class Registry(Generic[T]):
    """Names to things. Names are ``<pack>.<name>``; ``close()`` makes it read-only for ever."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._items: dict[str, T] = {}
        self._closed = False

    def add(self, name: str, item: T) -> None:
        if self._closed:
            raise RegistryClosed(f"{self.title}: {name} came after start")
        if name in self._items:
            raise DuplicateName(f"{self.title}: {name} is registered twice")
        self._items[name] = item

    def close(self) -> None:
        self._closed = True

    def find(self, name: str) -> T | None:
        return self._items.get(name)

    def get(self, name: str) -> T:
        try:
            return self._items[name]
        except KeyError:
            raise KeyError(f"{self.title}: {name} is not registered") from None

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._items))

    def __len__(self) -> int:
        return len(self._items)
