# Sourced by ./run and ./test: everything a fresh Debian 12 lacks, each step done once and again only when its input
# changed. A step that was interrupted is simply done again.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
PYTHON=$VENV/bin/python
STAMPS=$VENV/.stamps
RUNTIME_PACKAGES="python3 python3-venv ca-certificates openssl libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-cjk fonts-arphic-gkai00mp"
TEST_PACKAGES="chromium libatomic1 make git slapd"

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# One set-up at a time in one checkout; the lock goes away with this shell.
lock_setup() {
  exec 9<"$ROOT/.ci/setup.sh"
  flock 9
}
unlock_setup() { exec 9<&-; }

missing_packages() {
  local name missing=""
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing="$missing $name"
  done
  printf '%s' "${missing# }"
}

ensure_system_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "这不是 Debian：请自行确认已安装与下列软件包相当的组件：$*"
    return
  fi
  local missing
  missing=$(missing_packages "$@")
  [ -z "$missing" ] && return
  if [ "$(id -u)" != 0 ]; then
    die "缺少系统软件包：$missing
请让管理员运行：apt-get install -y --no-install-recommends $missing
或以 root 身份运行本命令。"
  fi
  say "安装系统软件包：$missing"
  export DEBIAN_FRONTEND=noninteractive
  local log
  log=$(mktemp)
  # shellcheck disable=SC2086
  apt-get install -y -q --no-install-recommends $missing >"$log" 2>&1 && { rm -f "$log"; return; }
  apt-get update -q >>"$log" 2>&1 || true
  # shellcheck disable=SC2086
  apt-get install -y -q --no-install-recommends $missing >>"$log" 2>&1 && { rm -f "$log"; return; }
  tail -n 20 "$log" >&2
  die "系统软件包没有装上，完整输出在 $log。请检查网络和软件源后重新运行。"
}

good_venv() {
  [ -x "$PYTHON" ] && "$PYTHON" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
    && grep -qF "$VENV" "$VENV/bin/activate" 2>/dev/null
}

ensure_venv() {
  if ! good_venv; then
    local base=/usr/bin/python3
    "$base" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
      || base=$(command -v python3.11) || die "需要 Python 3.11（Debian 12 自带）。"
    say "建立 Python 虚拟环境 .venv"
    rm -rf "$VENV"
    "$base" -m venv "$VENV" || die "虚拟环境没有建成，请检查软件包 python3-venv。"
  fi
  mkdir -p "$STAMPS"
}

digest() { cat "$@" | sha256sum | cut -d' ' -f1; }
is_stamped() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]; }
stamp() {
  printf '%s' "$2" >"$STAMPS/$1.partial"
  mv "$STAMPS/$1.partial" "$STAMPS/$1"
}

ensure_uv() {
  local wanted
  wanted=$(digest "$ROOT/requirements-setup.lock")
  is_stamped uv "$wanted" && [ -x "$VENV/bin/uv" ] && return
  "$PYTHON" -m pip --version >/dev/null 2>&1 || "$PYTHON" -m ensurepip >/dev/null 2>&1 || die "虚拟环境里没有 pip。"
  "$PYTHON" -m pip install -q --disable-pip-version-check --require-hashes -r "$ROOT/requirements-setup.lock" \
    || die "安装工具 uv 没有装上。请检查网络后重新运行。"
  stamp uv "$wanted"
}

# ensure_python_packages requirements.lock | requirements-test.lock (which holds all of the first)
ensure_python_packages() {
  local lock=$1 wanted
  wanted=$(digest "$ROOT/$lock")
  is_stamped "$lock" "$wanted" && return
  [ "$lock" = requirements.lock ] && is_stamped both "$(digest "$ROOT/requirements.lock" "$ROOT/requirements-test.lock")" && return
  ensure_uv
  say "安装 Python 依赖（$lock）"
  UV_NATIVE_TLS=1 UV_LINK_MODE=${UV_LINK_MODE:-copy} "$VENV/bin/uv" pip install -q --no-progress --python "$PYTHON" --require-hashes -r "$ROOT/$lock" \
    || die "Python 依赖没有装上。请检查网络后重新运行。"
  stamp "$lock" "$wanted"
  [ "$lock" = requirements.lock ] || stamp both "$(digest "$ROOT/requirements.lock" "$ROOT/requirements-test.lock")"
}

front_digest() {
  (cd "$ROOT" && { cat package.json package-lock.json; find engine/web/front -type f -print0 | sort -z | xargs -0 sha256sum; }) | sha256sum | cut -d' ' -f1
}

# Node comes as a wheel into .venv; the packages of the front stay beside it, linked as node_modules.
ensure_node_modules() {
  local wanted home=$VENV/front
  wanted=$(digest "$ROOT/package.json" "$ROOT/package-lock.json")
  if ! is_stamped node_modules "$wanted" || [ ! -d "$home/node_modules" ]; then
    say "安装前端依赖"
    rm -rf "$home"
    mkdir -p "$home"
    cp "$ROOT/package.json" "$ROOT/package-lock.json" "$ROOT/.npmrc" "$home/"
    (cd "$home" && PATH="$VENV/bin:$PATH" "$VENV/bin/npm" ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) \
      || die "前端依赖没有装上。请检查网络后重新运行。"
    stamp node_modules "$wanted"
  fi
  if [ "$(readlink "$ROOT/node_modules" 2>/dev/null)" != ".venv/front/node_modules" ]; then
    rm -rf "$ROOT/node_modules"
    ln -s .venv/front/node_modules "$ROOT/node_modules"
  fi
}

ensure_front() {
  local wanted
  wanted=$(front_digest)
  is_stamped front "$wanted" && [ -f "$ROOT/engine/web/static/dist/manifest.json" ] && return
  ensure_node_modules
  say "构建前端"
  (cd "$ROOT" && "$VENV/bin/node" engine/web/front/build.mjs >/dev/null) || die "前端没有构建成功，原因见上。"
  stamp front "$wanted"
}
