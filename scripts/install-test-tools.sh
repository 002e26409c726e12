#!/bin/sh
# Makes sure that the tests can run: Go, a C compiler (the SQLite driver is C)
# and Chromium or Chrome. Installs with apt-get where it may, and says what is
# missing where it may not.
set -eu

fail() {
	for line in "$@"; do
		printf '%s\n' "$line" >&2
	done
	exit 1
}

have() {
	command -v "$1" >/dev/null 2>&1
}

have_browser() {
	for browser in "${LATCHKEY_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
		if [ -n "$browser" ] && have "$browser"; then
			return 0
		fi
	done
	return 1
}

have_compiler() {
	have "$(go env CC)"
}

# apt runs apt-get as root; it fails where that takes a password.
apt() {
	if [ "$(id -u)" -eq 0 ]; then
		DEBIAN_FRONTEND=noninteractive apt-get "$@"
	else
		sudo -n env DEBIAN_FRONTEND=noninteractive apt-get "$@"
	fi
}

may_install() {
	have apt-get && { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }
}

if ! have go; then
	fail "Go is not in PATH." \
		"Install the version that go.mod names (or a later one) and run make test again."
fi

if [ -n "${LATCHKEY_CHROMIUM:-}" ] && ! have "$LATCHKEY_CHROMIUM"; then
	fail "LATCHKEY_CHROMIUM is set to $LATCHKEY_CHROMIUM, which cannot be run: correct it or unset it."
fi

packages=
have_compiler || packages="$packages gcc libc6-dev"
have_browser || packages="$packages chromium"

if [ -n "$packages" ] && may_install; then
	echo "installing:$packages"
	# Whether it worked shows below, by whether the programs are there.
	# shellcheck disable=SC2086 # one word per package
	{ apt update && apt install -y --no-install-recommends $packages; } || true
fi

if ! have_compiler; then
	fail "No C compiler ($(go env CC)), which the SQLite driver needs." \
		"Debian, Ubuntu: apt-get install gcc libc6-dev. Fedora: dnf install gcc. macOS: xcode-select --install." \
		"Then run make test again."
fi
if ! have_browser; then
	fail "Found none of chromium, chromium-browser, google-chrome, google-chrome-stable in PATH." \
		"Debian: apt-get install chromium. Elsewhere set LATCHKEY_CHROMIUM to the browser's path." \
		"the browser tests need Chromium or Chrome: install one and run make test again"
fi
