"""What we ask of a clue source, and the client that asks it over HTTP."""
from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, Protocol

from engine.sdk import BusinessError, ConnectorConfig, TryAgain, connector
from integrations.clue_source.messages import MessageError, Receipt, ReturnedClue

TIMEOUT_SECONDS = 10
LARGEST_ANSWER = 65_536


class ClueSource(Protocol):
    """A system that pushes clues to us."""

    def return_clue(self, clue: ReturnedClue, *, key: str) -> Receipt:
        """Give ``clue`` back; the same ``key`` returns it once and gives the same receipt.

        Raises BusinessError("source_refused") when the source says no, TryAgain when it does not answer.
        """
        ...


class HttpClueSource:
    """Speaks the standard contract, version 1."""

    def __init__(self, config: ConnectorConfig) -> None:
        self._url = config.url.rstrip("/")
        self._token = str(config.options.get("token", ""))

    def return_clue(self, clue: ReturnedClue, *, key: str) -> Receipt:
        answer = self._post("/clues/returns", clue.write(), key)
        try:
            return Receipt.read(answer)
        except MessageError as problem:
            raise TryAgain(str(problem)) from None

    def _post(self, path: str, body: dict[str, str], key: str) -> dict[str, Any]:
        if not self._url:
            raise TryAgain("案源系统的地址还没有配置")
        request = urllib.request.Request(  # noqa: S310 - the address comes from the deployment's own configuration
            self._url + path, data=json.dumps(body, ensure_ascii=False).encode(), method="POST",
            headers={"Content-Type": "application/json", "Idempotency-Key": key, "Authorization": f"Bearer {self._token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - see above
                return _object(response.read(LARGEST_ANSWER))
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from None
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise TryAgain(f"案源系统没有应答：{error}") from None


def _refusal(error: urllib.error.HTTPError) -> Exception:
    """404, 409 and 422 are the source's decision; everything else is worth another try."""
    if error.code in (404, 409, 422):
        message = _object(error.read(LARGEST_ANSWER)).get("message") or f"来源系统答复 {error.code}"
        return BusinessError("source_refused", str(message))
    return TryAgain(f"案源系统答复 {error.code}")


def _object(raw: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(raw)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


@connector(title="案源系统")
def make_client(config: ConnectorConfig) -> ClueSource:
    """The client of the configured clue source, real or simulated: both speak the same contract."""
    return HttpClueSource(config)
