"""The page of a case with three hundred entries of history is made in 150 ms of the server's own work, each entry on it; beyond a thousand the older ones are fetched."""
from __future__ import annotations

import re
import time
from datetime import timedelta

from sqlalchemy import insert, select

from engine.kernel.ids import new_id
from engine.storage.tables.runtime import act
from tests.engine.web.site import Site
from tests.packs.case_filing import clues

ENTRIES, MOST = 300, 0.15


def test_a_long_history_does_not_slow_the_page_of_its_case(site: Site) -> None:
    walk = site.walker()
    clues.register(walk)
    with site.app.db.begin() as connection:
        done = dict(connection.execute(select(act).where(act.c.case_id == walk.case_id, act.c.actor_id.is_not(None)).limit(1)).mappings().one())
        rows = [{**done, "id": (id := new_id()), "key": str(id), "opinion": f"第{n}步看过。", "snapshot": None, "moves": None, "at": done["at"] - timedelta(minutes=n)} for n in range(ENTRIES)]
        connection.execute(insert(act), rows)
    site.sign_in("officer")
    page = f"/cases/{walk.case_id}"
    text = site.get(page).text
    assert "第0步看过" in text and f"第{ENTRIES - 1}步看过" in text
    assert min(took(site, page) for _ in range(5)) < MOST
    with site.app.db.begin() as connection:
        older = [{**row, "id": (id := new_id()), "key": str(id), "opinion": f"从前第{n}步。", "at": row["at"] - timedelta(days=1)} for n, row in enumerate(rows * 4)]
        connection.execute(insert(act), older)
    assert {int(n) for n in re.findall(r"从前第(\d+)步", everything(site, site.get(page).text))} == set(range(4 * ENTRIES))
    assert site.get(f"{page}/acts?before=x").status_code == 422


def everything(site: Site, text: str) -> str:
    """What stands on the page and in every older portion that its button fetches."""
    whole = text
    while found := re.search(r'hx-get="([^"]+/acts\?before=[^"]+)"', text):
        text = site.get(found[1]).text
        whole += text
    assert whole != text
    return whole


def took(site: Site, page: str) -> float:
    """Seconds of work for one answer, as this process counts them."""
    before = time.process_time()
    assert site.get(page).status_code == 200
    return time.process_time() - before
