#!/bin/sh
# Checks the types of the explorer's modules, which are written as JSDoc. Skipped with a reason where Node is
# missing, unless SIGHTLINE_REQUIRE names node.
set -eu
cd "$(dirname "$0")"
missing() {
  case ",${SIGHTLINE_REQUIRE:-}," in
    *,node,*) echo "the types of the explorer cannot be checked: $1" >&2; exit 1 ;;
    *) echo "the types of the explorer were not checked: $1"; exit 0 ;;
  esac
}
command -v npm >/dev/null || missing "this machine has no npm; Node.js brings it"
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error ||
  missing "npm could not install what package-lock.json names"
node_modules/.bin/tsc --project tsconfig.json && echo "the types of the explorer fit"
