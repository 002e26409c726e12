#!/bin/sh
# Builds the program into the file that is named, as one static binary: SQLite and
# the C library are in it. GOARCH chooses the processor (amd64 or arm64), CC the C
# compiler; VERSION and COMMIT are what it calls itself, else git says. What comes out
# depends on the sources, Go and the C compiler alone: not on the folder, the time or
# who builds.
#
# With "release" as a second word it fails where a static binary cannot be made.
set -eu

cd "$(dirname "$0")/.."
out=$1
strict=${2:-}
again="the build"
. scripts/lib.sh
need_go

host=$(go env GOHOSTARCH)
GOOS=$(go env GOHOSTOS)
GOARCH=${GOARCH:-$host}
if [ -z "${CC:-}" ] && [ "$GOARCH" != "$host" ]; then
	CC=$(cross_compiler "$GOARCH")
fi
CC=${CC:-$(go env CC)}
export CC GOOS GOARCH CGO_ENABLED=1 CGO_CFLAGS=-O2 CGO_CPPFLAGS= CGO_LDFLAGS= GOFLAGS=-mod=readonly GOAMD64=v1 GOARM64=v8.0 GOEXPERIMENT=
have "${CC%% *}" || fail "No C compiler $CC, which the SQLite driver needs for $GOARCH." \
	"Debian, Ubuntu: apt-get install $(compiler_packages "$GOARCH")."

# Without a name server of its own and users of its own the C library would want
# the very version that it was linked with at run time.
tags=sqlite_omit_load_extension
static=
if links_statically; then
	tags=netgo,osusergo,$tags
	static='-linkmode external -extldflags "-static"'
elif [ "$strict" = release ]; then
	fail "$CC cannot link a static program: there is no static C library for $GOARCH." \
		"Debian, Ubuntu: apt-get install $(compiler_packages "$GOARCH"). Fedora: dnf install glibc-static."
else
	echo "build: no static C library for $CC, so $out needs the one of this system" >&2
fi

commit=${COMMIT:-$(git rev-parse HEAD 2>/dev/null || true)}
exec go build -trimpath -buildvcs=false -tags "$tags" -o "$out" \
	-ldflags "-s -w -buildid= $static -X main.release=$(source_version) -X main.commit=$commit" ./cmd/web
