"""What protects the running platform, as it is set in this deployment: transport, names, uploads, the server's own files."""
from __future__ import annotations

from dataclasses import dataclass

from engine.access.host_files import find_files, mark_of
from engine.kernel.gm.tls import available
from engine.kernel.settings import Settings
from engine.kernel.virus_scanner import VirusScanner
from engine.storage.database import plain_line
from engine.web.hosts import allowed


@dataclass(frozen=True, kw_only=True)
class Defence:
    """One line of the page: whether it holds, in a word and in a sentence that says what to do where it doesn't."""

    title: str
    good: bool
    state: str
    words: str


def defences(settings: Settings, *, https: bool) -> list[Defence]:
    """In the order of the page."""
    return [_entry(settings, https), _national(), _database(settings), _names(settings), _uploads(settings), _server_files(settings)]


def _entry(settings: Settings, https: bool) -> Defence:
    good = https or settings.public_url.startswith("https://")
    own = "由平台自己提供 HTTPS。" if settings.tls_certificate else "HTTPS 由前面的网关提供。" if good else ""
    return Defence(title="对外入口", good=good, state="HTTPS" if good else "没有加密", words=own or "设 GUICHENG_TLS_CERT、GUICHENG_TLS_KEY，或用 python -m engine gm-gateway 在前面加国密 HTTPS，并把 PUBLIC_URL 写成 https。")


def _national() -> Defence:
    good = available()
    return Defence(title="国密 TLS", good=good, state="可用" if good else "不可用", words="TLS 1.3，TLS_SM4_GCM_SM3（RFC 8998）：国密 HTTPS 入口、到外部系统的连接都能用。" if good else "这台机器的 cryptography 没有 OpenSSL 4，请按锁文件重新安装依赖。")


def _database(settings: Settings) -> Defence:
    problem = plain_line(settings.database_url)
    return Defence(title="数据库连接", good=not problem, state="没有加密" if problem else "本机或加密", words=problem or "数据库在本机，或者连接规定了加密（sslmode）。")


def _names(settings: Settings) -> Defence:
    known = allowed(settings)
    return Defence(title="网址", good=known is not None, state="任何名字都答" if known is None else "只答自己的名字", words="、".join(sorted(known)) if known else "设 GUICHENG_HOSTS（逗号分开）只答这些名字；生产环境默认只答 PUBLIC_URL 的。")


def _uploads(settings: Settings) -> Defence:
    if not settings.virus_scanner:
        return Defence(title="上传查杀", good=False, state="没有接", words="设 GUICHENG_CLAMD=unix:/run/clamav/clamd.ctl 或 主机:端口，每个上传的文件先由 clamd 查过才接收。")
    told = VirusScanner(settings.virus_scanner).version()
    return Defence(title="上传查杀", good=bool(told), state="在用" if told else "没有应答", words=told or f"{settings.virus_scanner} 没有应答，现在不接收任何文件。")


def _server_files(settings: Settings) -> Defence:
    if not settings.host_files:
        return Defence(title="服务器日志和访问控制文件", good=False, state="没有设", words="设 GUICHENG_HOST_FILES=/var/log/*.log,/etc/passwd,/etc/ssh/sshd_config,…，每小时把摘要写进审计链，被改动就告警。")
    found = find_files(settings.host_files)
    unread = [path for path in found if mark_of(path, size=0).problem]
    return Defence(title="服务器日志和访问控制文件", good=not unread, state=f"{len(found)} 个文件" if not unread else f"{len(unread)} 个读不到", words=f"读不到：{'、'.join(unread[:5])}。请给平台的系统用户读的权限。" if unread else "每小时写摘要，随锚点签名。")
