"""What a document says, without its layout."""
from __future__ import annotations

import html
import re
from typing import Any

from sqlalchemy import Row

from engine.documents.compose import compose
from engine.documents.draft import template_of
from engine.documents.queries import snapshot_of_row
from engine.documents.services import Services

_BREAKS = re.compile(r"</(?:p|h1|h2|tr|div)>|<br>")
_TAGS = re.compile(r"<[^>]*>")


def plain_text(app: Services, row: Row[Any]) -> str:
    """One line a paragraph, without seals, pictures and codes."""
    page = compose(template_of(app, row), snapshot_of_row(row), check_code="", verify_url="").html
    body = page.partition("<body")[2].partition(">")[2]
    lines = html.unescape(_TAGS.sub("", _BREAKS.sub("\n", body.replace("</th>", "：")))).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())
