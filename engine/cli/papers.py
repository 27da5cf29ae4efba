"""`python -m engine papers FOLDER`: the technical documents, made from the product as it is."""
from __future__ import annotations

from pathlib import Path

import click

from engine.inspection.load import load_tree
from engine.inspection.papers.contents import PAPERS
from engine.inspection.papers.word import write_word
from engine.kernel.clock import SHANGHAI, Clock
from engine.kernel.release import MANIFEST


@click.command(help=f"技术文件（Word）：{'、'.join(PAPERS)}。由业务包、文档、需求对照和测试记录生成，不另外手写。")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--only", type=click.Choice(list(PAPERS)), multiple=True, help="只要这几份")
@click.pass_context
def command(context: click.Context, folder: Path, only: tuple[str, ...]) -> None:
    import orjson

    tree = load_tree()
    release = tree.root / MANIFEST
    version = orjson.loads(release.read_bytes()).get("version") if release.exists() else None
    under = f"规程平台　{'版本 ' + version + '　' if version else ''}{Clock().now().astimezone(SHANGHAI):%Y 年 %m 月 %d 日}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, made in PAPERS.items():
        if not only or name in only:
            (folder / f"{name}.docx").write_bytes(write_word(made(tree, _commands(context)), title=name, under=under))
            click.echo(folder / f"{name}.docx")


def _commands(context: click.Context) -> dict[str, str]:
    """Every command with what its help says."""
    group = context.find_root().command
    assert isinstance(group, click.Group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: (one.help or "").split("\n\n")[0].replace("\n", "") for name, one in found.items() if one is not None}
