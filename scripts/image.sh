#!/bin/sh
# Builds the container images latchkey:VERSION-amd64 and -arm64 from what "make
# release" left in dist. TOOL is what builds: buildah, podman or docker, with options.
set -eu

again="make image"
cd "$(dirname "$0")/.."
. scripts/lib.sh

dist=${DIST:-dist}
certificates=${CERTIFICATES:-/etc/ssl/certs/ca-certificates.crt}
if [ -z "${TOOL:-}" ]; then
	for TOOL in buildah podman docker; do
		! have $TOOL || break
	done
fi
have "${TOOL%% *}" || fail "None of buildah, podman and docker is in PATH." "Debian, Ubuntu: apt-get install buildah."
[ -f "$certificates" ] || fail "There is no $certificates, which says whose certificates are trusted." \
	"Debian, Ubuntu: apt-get install ca-certificates. Elsewhere set CERTIFICATES to such a file."
case ${TOOL%% *} in
docker) format= ;;
*) format="--format docker" ;; # OCI has no HEALTHCHECK
esac

VERSION=$(source_version)
context=$dist/container
for arch in amd64 arm64; do
	binary=$dist/latchkey-linux-$arch
	[ -f "$binary" ] || continue
	rm -rf "$context"
	mkdir -p "$context/volume"
	mkdir -m 700 "$context/volume/data"
	cp "$binary" "$context/"
	cp "$certificates" "$context/ca-certificates.crt"
	# shellcheck disable=SC2086 # TOOL and format are words
	$TOOL build $format --platform "linux/$arch" --tag "latchkey:$VERSION-$arch" --file docs/deploy/Containerfile "$context"
done
rm -rf "$context"
