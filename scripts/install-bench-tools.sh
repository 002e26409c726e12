#!/bin/sh
# Makes sure that the benchmarks can run: Go, a C compiler (the SQLite driver is
# C) and wrk, which makes the load. Installs with apt-get where it may, and says
# what is missing where it may not.
set -eu

again="make bench"
. "$(dirname "$0")/lib.sh"

need_go
packages=
have_compiler || packages="$packages gcc libc6-dev"
have wrk || packages="$packages wrk"
# shellcheck disable=SC2086 # one word per package
[ -z "$packages" ] || install $packages

need_compiler
have wrk || fail "No wrk, which makes the load." \
	"Debian, Ubuntu: apt-get install wrk. Fedora: dnf install wrk. macOS: brew install wrk."
