"""YAML 1.2 as content is written in: safe, without duplicate keys, errors with line numbers in Chinese."""
from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from engine.kernel.errors import DeployRefused

LIMIT = 2_000_000


def read_yaml(content: bytes, *, file: str) -> Any:
    """The plain dicts and lists in ``content``; raises DeployRefused naming file and line."""
    if len(content) > LIMIT:
        raise DeployRefused(f"{file} 超过 2 MB，请拆成几个文件。")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise DeployRefused(f"{file} 不是 UTF-8 文本，请另存为 UTF-8 后再上传。") from None
    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise DeployRefused(f"{file} 第 {line} 行不是合法的 YAML，请检查缩进和冒号。") from None
    except YAMLError:
        raise DeployRefused(f"{file} 不是合法的 YAML。") from None
