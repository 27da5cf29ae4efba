"""`python -m engine sign-release`: the manifest of what runs, signed; and which key a deployment trusts."""
from __future__ import annotations

import sys
from pathlib import Path

import click

from engine.cli.host import Host
from engine.kernel.clock import Clock
from engine.kernel.errors import Invalid
from engine.kernel.gm import sm2_generate, sm2_public_key
from engine.kernel.gm.private_files import KeyFileUnsafe, make_file, read_file
from engine.kernel.release import TRUSTED, check_release, sign_release, trusted_key
from engine.kernel.settings import ROOT


@click.command(help="给程序签名：写出 release.json，列出每个程序文件的 SM3，用发布私钥签名。启动时核对，改动的文件会被指出。")
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="发布私钥文件（64 位十六进制，权限 600）；没有时新建")
@click.option("--version", default="", help="版本号，写进清单")
@click.option("--trust", is_flag=True, help="同时让本机的数据目录信任这个密钥")
@click.option("--trust-key", metavar="公钥", help="不签名，只让本机的数据目录信任这个公钥（130 位十六进制）")
@click.option("--check", is_flag=True, help="不签名，只核对；有改动时退出码为 1")
@click.pass_obj
def command(host: Host, key: Path | None, version: str, trust: bool, trust_key: str | None, check: bool) -> None:
    if check:
        _check(host)
    elif trust_key is not None:
        _trust(host, _public(trust_key))
    elif key is None:
        raise Invalid("请用 --key 给出发布私钥文件；它应保管在发布人手里，不要放在服务器上。")
    else:
        _sign(host, key, version, trust)


def _sign(host: Host, key: Path, version: str, trust: bool) -> None:
    make_file(key.absolute(), lambda: sm2_generate().private.hex().encode() + b"\n")
    try:
        private = bytes.fromhex(read_file(key).decode("ascii").strip())
        public = sm2_public_key(private)
    except (ValueError, KeyFileUnsafe) as error:
        raise Invalid(f"发布私钥不能用：{error}") from None
    count = sign_release(ROOT, private=private, version=version, at=Clock().now())
    click.echo(f"已签名：{count} 个文件，{ROOT / 'release.json'}。")
    click.echo(f"发布公钥：{public.hex()}")
    if trust:
        _trust(host, public)


def _trust(host: Host, public: bytes) -> None:
    folder = host.settings().data_dir / "keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / TRUSTED).write_text(public.hex() + "\n")
    (folder / TRUSTED).chmod(0o600)
    click.echo(f"{folder.parent} 从现在起信任这个发布密钥。GUICHENG_RELEASE=refuse 时，有改动就不启动。")


def _public(text: str) -> bytes:
    try:
        public = bytes.fromhex(text.strip())
    except ValueError:
        public = b""
    if len(public) != 65:
        raise Invalid("发布公钥应为 130 位十六进制。")
    return public


def _check(host: Host) -> None:
    report = check_release(ROOT, trusted=trusted_key(host.settings().data_dir))
    for problem in report.problems:
        click.echo(problem)
    click.echo(f"程序与签名的发布一致：{report.files} 个文件，{report.version}。" if report.good else f"共 {len(report.problems)} 处不符。" if report.signed else "程序没有签名。")
    sys.exit(0 if report.good else 1)
