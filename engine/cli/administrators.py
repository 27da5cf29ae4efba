"""`python -m engine administrators`: the first unit and the three administrators of an empty platform."""
from __future__ import annotations

import click

from engine.access.exclusive import WORDS
from engine.cli.host import Host
from engine.kernel.errors import Invalid

BUREAUS = {"urban_management": "城管执法", "market_regulation": "市场监管"}


@click.command(help="在空的平台上建立第一个单位和三名管理员（三员分立），各给一个随机口令，只显示这一次，首次登录必须改。写法：姓名:用户名。")
@click.option("--unit", required=True, help="市级机关的名称")
@click.option("--bureau", type=click.Choice(list(BUREAUS)), default="market_regulation", show_default=True, help="哪个条线")
@click.option("--admin", required=True, help="系统管理员，姓名:用户名")
@click.option("--security", required=True, help="安全管理员，姓名:用户名")
@click.option("--auditor", required=True, help="安全审计员，姓名:用户名")
@click.pass_obj
def command(host: Host, unit: str, bureau: str, admin: str, security: str, auditor: str) -> None:
    from engine.runtime.organising.first_administrators import appoint

    people = {right: _pair(text) for right, text in (("admin", admin), ("security", security), ("auditor", auditor))}
    with host.application() as app:
        made = appoint(app, unit_name=unit, bureau=bureau, people=people, at=app.clock.now())
    for one in made:
        click.echo(f"{WORDS[one.right]}　{one.name}　用户名 {one.login}　初始口令 {one.password}")
    click.echo("口令只显示这一次。请当面交给本人，首次登录时改掉，并启用动态口令。")


def _pair(text: str) -> tuple[str, str]:
    name, _, login = text.replace("：", ":").partition(":")
    if not name.strip() or not login.strip():
        raise Invalid(f"“{text}”应写成 姓名:用户名。")
    return name, login
