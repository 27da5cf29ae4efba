"""Context functions; a context is never changed, the functions make new ones."""
from __future__ import annotations

from typing import Any

from engine.expressions.builtins import bounded_list, builtin
from engine.expressions.errors import Problem
from engine.expressions.values import kind_of, title_of


@builtin("get value", "m:context, key:string", "context:context, key:string")
def get_value(context: dict[str, Any], key: str) -> Any:
    return context.get(key)


@builtin("get entries", "m:context", "context:context")
def get_entries(context: dict[str, Any]) -> list[dict[str, Any]]:
    return bounded_list([{"key": key, "value": value} for key, value in context.items()])


@builtin("context", "entries:list")
def context_of(entries: list[Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for entry in entries:
        if kind_of(entry) != "context" or "value" not in entry or kind_of(entry.get("key")) != "string":
            raise Problem("每一项都应有 key 和 value")
        if entry["key"] in result:
            raise Problem(f"名称重复：{entry['key'][:40]}")
        result[entry["key"]] = entry["value"]
    return result


@builtin("context put", "context:context, key:string, value:any")
def context_put(context: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**context, key: value}


@builtin("context put", "context:context, keys:list, value:any")
def context_put_deep(context: Any, keys: list[Any], value: Any) -> dict[str, Any]:
    if not keys or len(keys) > 60 or any(kind_of(key) != "string" for key in keys):
        raise Problem("keys 应是文本的列表")
    return _put(context, keys, value)


def _put(context: Any, keys: list[str], value: Any) -> dict[str, Any]:
    if context is not None and kind_of(context) != "context":
        raise Problem(f"“{keys[0][:40]}”的上一级是{title_of(context)}")
    context = context or {}
    return {**context, keys[0]: value if len(keys) == 1 else _put(context.get(keys[0]), keys[1:], value)}


@builtin("context merge", "contexts:list")
def context_merge(contexts: list[Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for context in contexts:
        if kind_of(context) != "context":
            raise Problem(f"需要上下文，得到{title_of(context)}")
        result.update(context)
    return result
