"""The pages of migration and of the operators' desk: shut for others, working by hand, clear when something can't be done."""
from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text

from engine.kernel.ids import new_id
from engine.storage.tables.runtime import incident, instance
from tests.browser import Browser
from tests.engine.runtime.test_migration import RENAMED, STEP, deploy
from tests.engine.runtime.walk import HANDLING, do, open_nodes, start_clue
from tests.town import Town


def keeper(town: Town) -> Browser:
    return Browser(town.app, "keeper")


def running(town: Town) -> UUID:
    with town.app.db.connect() as connection:
        return connection.scalars(select(instance.c.id).where(instance.c.ended_at.is_(None))).one()


def send(page: Browser, path: str, **form: Any) -> Any:
    return page.client.post(path, data={"csrf": page.csrf, **form})


def test_an_analyst_tries_maps_moves_and_takes_back_in_the_browser(town: Town) -> None:
    case_id = start_clue(town).case_id
    deploy(town, RENAMED)
    page = keeper(town)
    listed = page.get("/processes/case_filing/clue_handling/migrate").text
    assert "登记案源线索" in listed or "线索" in listed
    root = re.search(r'<option value="(case_filing\.[a-z_]+)">所有还在旧版上的，共 1 件', listed)
    assert root is not None
    answer = send(page, "/processes/case_filing/clue_handling/migrate", root=root[1], reason="新表")
    where = answer.headers["Location"]
    assert "正在试算" in page.get(where).text and 'data-reload="2"' in page.get(where).text
    town.app.jobs.run_due(town.app)
    checked = page.get(where).text
    assert "要指明对应步骤" in checked and f'name="map.{STEP}"' in checked and '<option value="verify_clue" selected>' in checked
    send(page, f"{where}/map", **{f"map.{STEP}": "verify_clue"})
    town.app.jobs.run_due(town.app)
    assert "迁移可以迁移的 1 件" in page.get(where).text and "「承办人核查处理」→「承办人核查处理」" in page.get(where).text
    send(page, f"{where}/start")
    town.app.jobs.run_due(town.app)
    done = page.get(where).text
    assert open_nodes(town, case_id) == ["verify_clue"] and "撤销这一件" in done
    send(page, f"{where}/items/{running(town)}/undo", key="undo-one-1")
    assert open_nodes(town, case_id) == ["verify"] and "已撤销" in page.get(where).text
    assert Browser(town.app, "officer").get(where).status_code == 403


def test_an_operator_repairs_restores_and_ends_in_the_browser(town: Town) -> None:
    case_id = start_clue(town).case_id
    do(town, "officer", "verify", "file", data=HANDLING)
    page, where = keeper(town), f"/operations/instances/{running(town)}"
    shown = page.get(where).text
    assert "现在停在" in shown and "恢复到它之前" in shown
    fact = re.search(r'name="(fact\.[^"]*#approved)"', shown)
    assert fact is not None
    refused = send(page, f"{where}/repair", reason="", key="repair-one", **{fact[1]: "true"})
    assert refused.status_code == 422 and "更正值要写明理由" in refused.text
    assert send(page, f"{where}/repair", reason="核对过了", key="repair-two", **{fact[1]: "true"}).status_code == 303
    link = re.findall(r"snapshot=([0-9a-f-]{36})", page.get(where).text)[-1]
    preview = page.get(f"{where}?snapshot={link}").text
    assert "重新打开的任务" in preview and "承办人核查处理" in preview
    assert send(page, f"{where}/restore", reason="办错了", key="restore-one", act_id=link).status_code == 303
    assert open_nodes(town, case_id) == ["verify"]
    assert send(page, f"{where}/terminate", reason="撤案", key="terminate-one").status_code == 303
    assert "已终止" in page.get(where).text and "没有在等什么" in page.get(where).text
    assert send(page, f"{where}/suspend", reason="等等", key="suspend-one").status_code == 409


def test_the_lists_of_the_desk_open_and_act(town: Town) -> None:
    case_id = start_clue(town).case_id
    broken = new_id()
    with town.app.db.begin() as connection:
        connection.execute(text("INSERT INTO procrastinate_jobs (queue_name, task_name, status, attempts) VALUES ('default', 'runtime.match_inbox', 'failed', 6)"))
        number = connection.scalar(text("SELECT max(id) FROM procrastinate_jobs"))
        connection.execute(insert(incident).values(
            id=broken, instance_id=running(town), case_id=case_id, node="verify", kind="service", message="对方系统没有应答。", status="open", opened_at=town.app.clock.now(),
        ))
    page = keeper(town)
    assert "没有不动的案件" in page.get("/operations").text
    assert "核对先到的消息" in page.get("/operations/jobs").text
    assert send(page, f"/operations/jobs/{number}/retry", tab="failed").status_code == 303
    assert "重试选中的" in page.get("/incidents").text
    assert send(page, "/operations/incidents/retry", incident=str(broken), key="many-one").status_code == 303
    assert "恢复快照" in page.get(f"/incidents/{broken}").text


def test_the_desk_is_shut_for_others(town: Town) -> None:
    officer = Browser(town.app, "officer")
    for path in ("/operations", "/operations/jobs", "/operations/instances/00000000-0000-7000-8000-000000000000", "/processes/case_filing/clue_handling/migrate"):
        assert officer.get(path).status_code == 403, path
