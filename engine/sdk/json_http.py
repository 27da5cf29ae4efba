"""The client's side of an outside system that speaks JSON over HTTP: one door, so that every connector fails in the same two ways."""
from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from engine.kernel.errors import BusinessError, TryAgain
from engine.runtime.handlers import ConnectorConfig
from engine.sdk.lines import open_line

TIMEOUT_SECONDS = 10
LARGEST_ANSWER = 65_536
T = TypeVar("T")


class JsonHttp:
    """Calls one system at the address of its ``config`` (options ``token``, ``timeout_seconds``).

    An answer with one of the statuses ``decided`` is the system's own decision: BusinessError(``refused``) with its words.
    Everything else that is no success, no answer in time, or an answer that is no JSON object is worth another try: TryAgain.
    Without ``refused`` nothing is a decision. ``largest`` is how many bytes of an answer are read. ``title`` names the system in what people read.
    """

    def __init__(self, config: ConnectorConfig, *, title: str, refused: str = "", decided: Collection[int] = (404, 409, 422), largest: int = LARGEST_ANSWER) -> None:
        self._config = config
        self._token = str(config.options.get("token", ""))
        self._timeout = float(config.options.get("timeout_seconds", TIMEOUT_SECONDS))
        self._title, self._refused, self._decided, self._largest = title, refused, decided, largest

    def post(self, path: str, body: Mapping[str, Any], read: Callable[[Mapping[str, Any]], T], *, key: str = "") -> T:
        """``read`` over the answer to ``body``; ``key`` is sent as Idempotency-Key. What ``read`` raises as ValueError is worth another try."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}", **({"Idempotency-Key": key} if key else {})}
        return self._ask(path, read, data=json.dumps(body, ensure_ascii=False).encode(), method="POST", headers=headers)

    def get(self, path: str, read: Callable[[Mapping[str, Any]], T], **query: str) -> T:
        """``read`` over the answer to a question."""
        return self._ask(f"{path}?{urllib.parse.urlencode(query)}", read, headers={"Authorization": f"Bearer {self._token}"})

    def _ask(self, path: str, read: Callable[[Mapping[str, Any]], T], *, headers: Mapping[str, str], data: bytes | None = None, method: str = "GET") -> T:
        if not self._config.url:
            raise TryAgain(f"{self._title}的地址还没有配置")
        line = open_line(self._config, title=self._title, seconds=self._timeout, largest=self._largest)
        try:
            status, answer = line.send(method, path, headers, data)
            if 200 <= status < 300:
                return read(_object(answer))
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            raise TryAgain(f"{self._title}没有应答：{error}") from None
        except (ValueError, KeyError, TypeError) as problem:
            raise TryAgain(f"{self._title}的答复看不懂：{problem}") from None
        raise self._refusal(status, answer)

    def _refusal(self, status: int, answer: bytes) -> Exception:
        told = f"{self._title}答复 {status}"
        if self._refused and status in self._decided:
            return BusinessError(self._refused, str(_words(answer) or told))
        return TryAgain(told)


def _words(answer: bytes) -> Any:
    try:
        return _object(answer).get("message")
    except ValueError:
        return None


def _object(answer: bytes) -> dict[str, Any]:
    """Raises ValueError for what is no JSON object."""
    found = json.loads(answer)
    if not isinstance(found, dict):
        raise ValueError("不是 JSON 对象")
    return found
