"""YAML 1.2 as content is written in: safe, without duplicate keys, errors with line numbers in Chinese."""
from __future__ import annotations

from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent

from engine.kernel.errors import DeployRefused

LIMIT = 2_000_000
KEPT = 20_000
"""Bytes of a file; the largest that is kept as it was read."""


class _Alias(MarkedYAMLError):
    """A few lines of aliases stand for billions of values; content has no use for them."""


class _Plain(Composer):
    """Composes what is written out, and stops at the first alias."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.parser.check_event(AliasEvent):
            raise _Alias(problem_mark=self.parser.peek_event().start_mark)
        return super().compose_node(parent, index)


def read_yaml(content: bytes, *, file: str) -> Any:
    """The plain dicts and lists in ``content``, the caller's own; raises DeployRefused naming file and line."""
    if len(content) > LIMIT:
        raise DeployRefused(f"{file} 超过 2 MB，请拆成几个文件。")
    return _copied(_kept(content, file)) if len(content) <= KEPT else _read(content, file)


def _read(content: bytes, file: str) -> Any:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise DeployRefused(f"{file} 不是 UTF-8 文本，请另存为 UTF-8 后再上传。") from None
    try:
        reader = YAML(typ="safe", pure=True)
        reader.Composer = _Plain
        return reader.load(text)
    except RecursionError:
        raise DeployRefused(f"{file} 一层套一层，套得太深，请改写得平一些。") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        if isinstance(error, _Alias):
            raise DeployRefused(f"{file} 第 {line} 行用了别名（*），请把内容写全。") from None
        raise DeployRefused(f"{file} 第 {line} 行不是合法的 YAML，请检查缩进和冒号。") from None
    except YAMLError:
        raise DeployRefused(f"{file} 不是合法的 YAML。") from None


_kept = lru_cache(maxsize=512)(_read)
"""What was read lately: a deploy changes one file, and all of its kind are asked for again."""


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value
