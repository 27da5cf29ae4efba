"""`python -m engine sign-challenge`: answer the challenge of the sign-in page with a software key, as a UKey would."""
from __future__ import annotations

import base64
from pathlib import Path

import click

from engine.cli.host import Host
from engine.kernel.errors import Invalid
from engine.kernel.gm import sm2_generate, sm2_public_key, sm2_sign
from engine.kernel.gm.certificates import to_pem
from engine.kernel.gm.private_files import KeyFileUnsafe, make_file, read_file


@click.command(help="用软件私钥给登录页上的随机数签名，输出粘贴到登录页的签名。加 --issue 姓名 时，由本平台的根证书给这个私钥签发一张演示用的证书。")
@click.argument("challenge", required=False, default="")
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), required=True, help="私钥文件（64 位十六进制，权限 600）；没有时新建")
@click.option("--issue", metavar="姓名", help="给这个私钥签发证书，写在私钥旁边的 .pem 里（要在平台的机器上运行）")
@click.option("--unit", default="演示", show_default=True, help="证书上的单位")
@click.pass_obj
def command(host: Host, challenge: str, key: Path, issue: str | None, unit: str) -> None:
    make_file(key.absolute(), lambda: sm2_generate().private.hex().encode() + b"\n")
    try:
        private = bytes.fromhex(read_file(key.absolute()).decode("ascii").strip())
        public = sm2_public_key(private)
    except (ValueError, KeyFileUnsafe) as error:
        raise Invalid(f"私钥不能用：{error}") from None
    if issue:
        certificate = key.absolute().with_suffix(".pem")
        certificate.write_text(_issued(host, public, issue, unit))
        click.echo(f"证书：{certificate}。登录后在“我的—数字证书”里绑定。")
    if challenge:
        if not challenge.startswith("guicheng-sign-in:"):
            raise Invalid("这不是登录页上的随机数，没有签名。")
        click.echo(base64.b64encode(sm2_sign(private, challenge.encode())).decode())


def _issued(host: Host, public: bytes, name: str, unit: str) -> str:
    from datetime import timedelta

    from engine.kernel.clock import Clock
    from engine.kernel.gm import KeyRing

    settings, at = host.settings(), Clock().now()
    keys = KeyRing(settings.data_dir, vault=settings.vault)
    return to_pem(keys.issue_certificate(public=public, name=name, organisation=unit, valid_from=at - timedelta(days=1), valid_until=at + timedelta(days=365)), "CERTIFICATE")
