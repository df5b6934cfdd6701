#!/bin/sh
# Show Workbench in this person's desktop menu. Run it again after moving the folder; `add-to-menu.sh --remove` takes it out.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
entry=$data/applications/workbench.desktop
icons=$here/_internal/workbench/resources/icon

if [ "${1:-}" = --remove ]; then
    rm -f "$entry" "$data"/icons/hicolor/*/apps/workbench.png "$data/icons/hicolor/scalable/apps/workbench.svg"
    echo "Workbench is out of the menu."
    exit 0
fi
case $here in # signs that menu entries give a meaning of their own
*[\"\\\`\$%\&\|]*) echo "Move the folder to a path without \" \\ \` \$ % & | and run this again." >&2; exit 2 ;;
esac
mkdir -p "$data/applications"
sed "s|^Exec=.*|Exec=\"$here/workbench\"|" "$here/workbench.desktop" >"$entry"
for picture in "$icons"/workbench-*.png; do
    size=${picture##*-}; size=${size%.png}
    mkdir -p "$data/icons/hicolor/${size}x$size/apps"
    cp "$picture" "$data/icons/hicolor/${size}x$size/apps/workbench.png"
done
mkdir -p "$data/icons/hicolor/scalable/apps"
cp "$icons/workbench.svg" "$data/icons/hicolor/scalable/apps/"
echo "Workbench is in the menu: $entry"
