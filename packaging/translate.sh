#!/bin/sh
# Collect every string of the window into a file for translators, and fail where one could not be found.
#
#     sh packaging/translate.sh [LANGUAGE]      build/translations/workbench_LANGUAGE.ts, "xx" when none is named
set -eu
cd "$(dirname "$0")/.."
BIN=${BIN:-.venv/bin}
OUT=build/translations
mkdir -p "$OUT"
"$BIN/pyside6-lupdate" -no-obsolete workbench/ui/*.py -ts "$OUT/workbench_${1:-xx}.ts"
exec "$BIN/python" packaging/translated.py "$OUT/workbench_${1:-xx}.ts"
