"""`python -m engine security`: the table of requirements as docs/security.md holds it, and what may be destroyed when."""
from __future__ import annotations

import click

from engine.cli.host import Host


@click.group(help="安全：逐条要求清单、到期可销毁的案件、资产信息。")
def command() -> None:
    pass


@command.command("table", help="密码与安全逐条由谁满足、怎样满足（Markdown，docs/security.md 里的表由它生成）。")
def table() -> None:
    from engine.web.requirement_rows import OWN_DOCUMENT, markdown, topics

    for topic in topics():
        if topic.name in OWN_DOCUMENT:
            for line in markdown(topic):
                click.echo(line)


@command.command("rows", help="非功能要求逐条由谁满足（Markdown，就是 docs/nonfunctional.md）。")
def rows() -> None:
    from engine.web.requirement_rows import document

    for line in document():
        click.echo(line)


@command.command("retention", help="保管期限已到、可以提请销毁的案件。")
@click.pass_obj
def retention(host: Host) -> None:
    from engine.kernel.clock import Clock
    from engine.runtime.retention import due_cases, rules

    with host.application() as app, app.db.connect() as connection:
        count = len(rules(connection))
        due = due_cases(connection, on=Clock().today(), limit=10_000)
    for one in due:
        click.echo(f"{one.due_on}　{one.number or '没有编号'}　{one.title}　{one.law}")
    click.echo(f"{count} 条保管规定，{len(due)} 件到期。")


@command.command("assets", help="资产信息（JSON）：平台、系统、数据库、每个依赖的版本；设了 GUICHENG_SYSLOG 时每天随日志外送一次。")
@click.pass_obj
def assets(host: Host) -> None:
    import orjson

    from engine.access.sending_out import assets as listed

    with host.application() as app, app.db.connect() as connection:
        click.echo(orjson.dumps(listed(connection, app), option=orjson.OPT_INDENT_2).decode())


@command.command("identity", help="本平台与外部系统往来的两张证书（签名、加密，PEM），交给对方。")
@click.pass_obj
def identity(host: Host) -> None:
    from engine.kernel.gm import KeyRing
    from engine.kernel.gm.certificates import to_pem

    settings = host.settings()
    own = KeyRing(settings.data_dir, vault=settings.vault).identity
    click.echo((to_pem(own.signing, "CERTIFICATE") + to_pem(own.sealing, "CERTIFICATE")).rstrip())
