"""``python -m engine demo``: the demo city, made once; ``--logins`` prints whom to sign in as."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from engine.cli.demo.plan import PASSWORD, city_plan
from engine.cli.host import Host
from engine.kernel.errors import GuichengError

if TYPE_CHECKING:
    from engine.runtime.application import Application

SHOWN = (
    ("jingan.suo1.chengban1", "承办人"),
    ("jingan.suo1.chengban2", "另一名执法人员"),
    ("jingan.suo1.fuzeren", "办案机构负责人"),
    ("jingan.shipin.jingban", "机关科室工作人员"),
    ("jingan.shipin.fuzeren", "机关科室负责人"),
    ("jingan.zhiliang.jingban", "会审科室经办人"),
    ("jingan.zhiliang.fuzeren", "会审科室负责人"),
    ("jingan.juzhang", "办案机关负责人"),
    ("jingan.fazhi.jingban", "法制审核人员"),
    ("cg.jingan.dui1.chengban1", "城管中队队员（移交案件）"),
    ("cg.putuo.dui1.chengban1", "城管中队队员（接收工单）"),
    ("cg.putuo.dui1.fuzeren", "城管中队长"),
    ("cg.putuo.zhifa.jingban", "城管区局派发人员"),
    ("cg.shi.jiandu.jingban", "城管市局派发人员"),
    ("cg.shi.jiandu.fuzeren", "城管市局审核人"),
    ("cg.jingan.jie1.jingban", "街镇拆违办（违建点位）"),
    ("cg.jingan.chaiwei.fuzeren", "区拆违办审核人"),
    ("cg.shi.chaiwei.fuzeren", "市拆违办审核人"),
    ("yunwei", "运行值守（异常）"),
    ("sheji", "流程设计"),
    ("guanli", "系统管理"),
    ("shenji", "安全审计"),
    ("anquan", "安全管理"),
)


@click.command(name="demo", help="建立演示城市：两条线的单位、人员、账号、印章、当事人和在办案件。可以重复执行，已有的不动。")
@click.option("--logins", is_flag=True, help="只列出演示账号。")
@click.option("--no-cases", is_flag=True, help="只建单位和人员，不办案件。")
@click.pass_obj
def command(host: Host, logins: bool, no_cases: bool) -> None:
    if logins:
        _print_logins()
        return
    with host.application() as app:
        if app.settings.environment == "production":
            raise GuichengError("正式环境不能建立演示城市。", code="demo_in_production")
        _load(app, with_cases=not no_cases)
    _print_logins()


def _load(app: Application, *, with_cases: bool) -> None:
    from engine.cli.demo.load_city import load_city
    from engine.cli.demo.load_party import load_party
    from engine.cli.demo.load_records import load_records
    from engine.cli.demo.load_seals import load_seals
    from engine.cli.demo.play import play_stories

    begun, at = time.monotonic(), app.clock.now()
    people = load_city(app, city_plan(), at=at)
    seals = load_seals(app, at=at)
    click.echo(f"人员 {people} 名，印章和签名 {seals} 份，用时 {time.monotonic() - begun:.1f} 秒。")
    if with_cases:
        begun = time.monotonic()
        click.echo(f"台账记录 {load_records(app, at=at)} 条，用时 {time.monotonic() - begun:.1f} 秒。")
        begun = time.monotonic()
        click.echo(f"办理 {play_stories(app, now=app.clock.now())} 步，用时 {time.monotonic() - begun:.1f} 秒。")
        load_party(app, at=app.clock.now())


def _print_logins() -> None:
    names = {person.login: person for person in city_plan().people}
    click.echo(f"  演示账号（密码都是 {PASSWORD}）：")
    for login, role in SHOWN:
        person = names[login]
        click.echo(f"    {login:<28}{person.name}　{role}")
    _print_party()
    click.echo("    其他区、所、中队的账号同样取名，如 xuhui.suo1.chengban1；登录页列有全部账号。")


def _print_party() -> None:
    from engine.cli.demo.load_party import party_login

    number, name, party = party_login()
    click.echo(f"    {number:<28}{name}　当事人，代表{party}：在 /party 登录，有一份文书等着签收")
