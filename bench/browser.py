"""A browser's manners without its weight: cookies, forms as the page shows them, one connection kept alive."""
from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from lxml import html


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. ``page`` is empty for an answer that isn't HTML."""

    status: int
    location: str
    text: str

    @property
    def page(self) -> html.HtmlElement:
        return html.fromstring(self.text or "<html></html>")


class Browser:
    """One signed-in person."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self.prefix = parts.path.rstrip("/")
        self.connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=60)
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> Answer:
        return self._request("GET", path, None)

    def post(self, path: str, values: Mapping[str, str]) -> Answer:
        return self._request("POST", path, urlencode(values))

    def sign_in(self, login: str, password: str) -> None:
        """Raises RuntimeError when the account is refused."""
        values = values_of(self.get("/login").page.forms[0])
        answer = self.post("/login", {**values, "login": login, "password": password})
        if answer.status >= 400:
            raise RuntimeError(f"sign-in of {login} refused: {answer.status}")

    def _request(self, method: str, path: str, body: str | None) -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        address = path if path.startswith(self.prefix or "/") else self.prefix + path
        try:
            self.connection.request(method, address, body, headers)
            response = self.connection.getresponse()
        except (http.client.RemoteDisconnected, http.client.CannotSendRequest, BrokenPipeError, ConnectionResetError):  # the server closes a connection that was idle for long; what is sent carries its key
            self.connection.close()
            self.connection.request(method, address, body, headers)
            response = self.connection.getresponse()
        text = response.read().decode()
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                key, _, content = value.split(";", 1)[0].partition("=")
                self.cookies[key] = content
        return Answer(status=response.status, location=response.getheader("Location") or response.getheader("HX-Redirect") or "", text=text)


def values_of(form: html.FormElement) -> dict[str, str]:
    """Every value that the form would send if nothing were touched."""
    return {str(name): str(value) for name, value in form.form_values()}


def form_to(page: html.HtmlElement, ending: str) -> html.FormElement:
    """The form of ``page`` that is sent to an address with this ending; LookupError when there is none."""
    for form in page.forms:
        for address in (form.get("hx-post"), form.get("action"), *(button.get("formaction") for button in form.iter("button"))):
            if address and urlsplit(address).path.endswith(ending):
                return form
    raise LookupError(f"no form to …{ending}")
