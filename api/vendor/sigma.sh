#!/bin/sh
# Makes api/sightline/api/static/vendor/sigma.js: sigma and graphology, as published on npm, in one ES
# module without dependencies. Only who raises a version runs it; it needs Node. From anywhere:
#   sh api/vendor/sigma.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=$here/../sightline/api/static/vendor
sigma=3.0.3 graphology=0.26.0 esbuild=0.25.12
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
cd "$made"
npm install --no-save --no-audit --no-fund --loglevel=error "sigma@$sigma" "graphology@$graphology" "esbuild@$esbuild"
printf 'export { default as Graph } from "graphology";\nexport { default as Sigma } from "sigma";\n' > entry.js
mkdir -p "$to"
node_modules/.bin/esbuild entry.js --bundle --minify --format=esm --target=es2022 --log-level=warning \
  --legal-comments=none --outfile="$to/sigma.js" \
  --banner:js="// @ts-nocheck sigma $sigma and graphology $graphology (MIT, see sigma.LICENSE.txt). Made by api/vendor/sigma.sh."
for package in sigma graphology graphology-utils events; do
  version=$(node -p "require('./node_modules/$package/package.json').version")
  printf '== %s %s ==\n\n' "$package" "$version"
  cat "node_modules/$package/"LICENSE*
  printf '\n'
done > "$to/sigma.LICENSE.txt"
