# Sourced by tools/quickstart, tools/test and .ci/run from the repository root: a virtual environment that
# is made once and updated when pyproject.toml or constraints.txt change.

VENV=${LIT_REC_VENV:-.venv}

# Ctrl-C ends the script too, even if the interrupted command ends normally.
trap 'exit 130' INT

# Print the first Python that can make the environment.
find_python() {
  local candidate
  for candidate in python3.11 python3 python3.12 python3.13; do
    if "$candidate" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
  {
    echo "No Python 3.11 or later with the venv module is on the PATH (python3 is: $(python3 --version 2>/dev/null || echo absent))."
    echo "  Try:  install it (Debian and Ubuntu: apt install python3.11 python3.11-venv), or set LIT_REC_VENV to an existing environment."
  } >&2
  return 2
}

# Run pip quietly: a bar shows how far it is on a terminal, and a line that it has ended; all its output is shown if it
# fails.
watched() {
  local log ticker status=0 started=$SECONDS
  log=$(mktemp)
  show_progress "$log" &
  ticker=$!
  "$@" >"$log" 2>&1 || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  if [ -t 1 ]; then printf '\r\033[K'; fi
  if [ "$status" -ne 0 ]; then cat "$log" >&2; else echo "  installed in $((SECONDS - started)) s"; fi
  rm -f "$log"
  return "$status"
}

# Runs in parallel with pip; ends with the script that started it. A file gets no bar.
show_progress() {
  local log=$1 started=$SECONDS all found filled
  [ -t 1 ] || return 0
  all=$(grep -c == constraints.txt)
  while kill -0 $$ 2>/dev/null; do
    found=$(grep -cE '^ *(Collecting|Requirement already satisfied)' "$log" || true)
    # pip finds all packages, then unpacks them in one step that it says nothing about
    if grep -q '^ *Installing collected packages' "$log"; then found=$all; fi
    filled=$((found < all ? found * 30 / all : 30))
    printf '\r\033[K  [%-30s] %d s' "$(printf '%*s' "$filled" '' | tr ' ' '#')" $((SECONDS - started))
    sleep 1
  done
}

# A key of what the installed packages depend on: an editable install also points to this folder.
fingerprint() {
  { pwd && cat pyproject.toml constraints.txt; } | cksum
}

is_installed() { # extra
  [ "$(cat "$VENV/.lit_rec-$1" 2>/dev/null)" = "$(fingerprint)" ] && "$VENV/bin/python" -c '' 2>/dev/null
}

# Make the environment and install the project with its pinned dependencies, unless this is done already.
install_project() { # extra: "runtime" or "dev"; further arguments are pip's
  local extra=$1 python target=.
  shift
  if is_installed "$extra" || { [ "$extra" = runtime ] && is_installed dev; }; then
    echo "  found up to date: $VENV"
    return
  fi
  if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python) || return
    echo "  making $VENV with $("$python" --version)"
    "$python" -m venv "$VENV" || return
  fi
  if [ "$extra" = dev ]; then target='.[dev]'; fi
  echo "  installing $target with constraints.txt into $VENV (about a minute, 2 GB; much more where PyTorch comes with CUDA)"
  # pip compiles with one core, which takes as long as everything else
  watched "$VENV/bin/python" -m pip install --disable-pip-version-check --progress-bar off --no-compile \
    -c constraints.txt -e "$target" "$@" || return
  # Without files that hardly any program imports, this takes a quarter of the time; a package may hold files for another
  # Python.
  "$VENV/bin/python" -m compileall -q -j 0 -x '/(tests|pip|mypy)/|/transformers/models/(?!auto/|bert/)' "$VENV/lib" \
    >/dev/null 2>&1 || true
  fingerprint >"$VENV/.lit_rec-$extra"
}
