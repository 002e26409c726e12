#!/bin/sh
# Builds what a release is made of into dist: a static binary for each processor,
# the modules in each as CycloneDX, and checksums. The same commit gives the same
# binaries, to the byte, with the same Go and C compilers.
set -eu

again="make release"
cd "$(dirname "$0")/.."
. scripts/lib.sh

need_go
packages=
for arch in amd64 arm64; do
	[ "$arch" = "$(go env GOHOSTARCH)" ] || have "$(cross_compiler $arch)" || packages="$packages $(compiler_packages $arch)"
done
# shellcheck disable=SC2086 # one word per package
[ -z "$packages" ] || install $packages

rm -rf dist
mkdir dist
VERSION=$(source_version)
export VERSION
for arch in amd64 arm64; do
	echo "building: dist/latchkey-linux-$arch" >&2
	GOARCH=$arch CC='' scripts/build.sh "dist/latchkey-linux-$arch" release
	.tools/cyclonedx-gomod bin -json -noserial -notimestamp -version "$VERSION" \
		-output "dist/latchkey-linux-$arch.cdx.json" "dist/latchkey-linux-$arch" >&2
done
cd dist
sha256sum latchkey-linux-* >SHA256SUMS
cat SHA256SUMS
