"""`python -m engine check`: every rule over the checkout."""
from __future__ import annotations

import sys

import click

from engine.inspection.check import all_rules, check
from engine.inspection.load import load_tree


@click.command(help="检查全部业务包：内容能部署，引用都在，需求有测试。没有问题时退出码为 0。")
@click.option("--rules", is_flag=True, help="只列出规则")
def command(rules: bool) -> None:
    if rules:
        for rule in all_rules():
            click.echo(f"{rule.__name__.rsplit('.', 1)[1]:<16}{rule.TITLE}")
        return
    tree = load_tree()
    findings = check(tree)
    for finding in findings:
        click.echo(str(finding))
    click.echo(f"{len(tree.packs)} 个业务包，{len(tree.files)} 个内容文件，{len(findings)} 处问题。")
    sys.exit(1 if findings else 0)
