"""`python -m engine check-deployment`: the baseline of a deployment, item by item, and its table of ports."""
from __future__ import annotations

import sys

import click

from engine.cli.host import Host


@click.command(help="核查部署的基线：默认口令、弱口令、三员分立、第二因素、文件权限、配置加密、加密入口、程序签名、日志外送；并列出端口和访问关系。有不合的退出码为 1。")
@click.option("--everybody", is_flag=True, help="弱口令试遍每个账号（账号多时要几分钟），不只是管理员")
@click.pass_obj
def command(host: Host, everybody: bool) -> None:
    from engine.runtime.baseline import baseline, lines

    with host.application() as app:
        found = list(baseline(app, everybody=everybody))
        for one in found:
            click.echo(f"{'合格' if one.good else '不合'}　{one.title}：{one.said}")
        click.echo("\n端口和访问关系")
        for line in lines(app.settings):
            click.echo(f"{line.source} → {line.target}　{line.where}　{line.purpose}")
    wrong = sum(not one.good for one in found)
    click.echo(f"\n{len(found)} 项，不合 {wrong} 项。")
    sys.exit(1 if wrong else 0)
