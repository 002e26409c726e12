#!/bin/sh
# Makes sure that the tests can run: Go, a C compiler (the SQLite driver is C),
# PostgreSQL with PgBouncer, HAProxy before several nodes, Chromium or Chrome, nginx
# and Caddy (docs/deploy), promtool (the alert rules there), what releases are built
# and tried with (a cross compiler, an emulator, buildah, systemd-analyze), and the OAuth clients
# of e2e/clients: Node with the packages of package-lock.json, and Python with
# Authlib and Requests-OAuthlib. Installs with apt-get and npm where it may, and
# says what is missing where it may not.
set -eu

again="make test"
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../e2e/clients"

have_browser() {
	for browser in "${LATCHKEY_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
		if [ -n "$browser" ] && have "$browser"; then
			return 0
		fi
	done
	return 1
}

# The proxies of a test have loopback addresses of their own, its nodes networks.
tests_proxies() {
	[ "$(uname -s)" = Linux ]
}

# Debian keeps daemons where only root's PATH leads.
have_daemon() {
	have "$1" || have "/usr/sbin/$1"
}

# Debian's Python comes first: another one in PATH does not see its packages.
have_python_clients() {
	for python in /usr/bin/python3 python3; do
		if "$python" -c 'import authlib, cryptography, requests_oauthlib' >/dev/null 2>&1; then
			return 0
		fi
	done
	return 1
}

# npm writes this file at the very end.
installed=node_modules/.package-lock.json

have_node_clients() {
	[ -f "$installed" ] && [ -z "$(find package-lock.json -newer "$installed")" ]
}

# The other processor that a release is built for, and what runs its programs here.
case $(go env GOHOSTARCH 2>/dev/null) in
arm64) other=amd64 emulator=qemu-x86_64-static ;;
*) other=arm64 emulator=qemu-aarch64-static ;;
esac

need_go
if [ -n "${LATCHKEY_CHROMIUM:-}" ] && ! have "$LATCHKEY_CHROMIUM"; then
	fail "LATCHKEY_CHROMIUM is set to $LATCHKEY_CHROMIUM, which cannot be run: correct it or unset it."
fi

packages=
have_compiler || packages="$packages gcc libc6-dev"
have_browser || packages="$packages chromium"
postgres_programs >/dev/null || [ -n "${LATCHKEY_TEST_POSTGRES:-}" ] || packages="$packages postgresql"
have_daemon pgbouncer || packages="$packages pgbouncer"
have promtool || packages="$packages prometheus"
if tests_proxies; then
	have_daemon nginx || packages="$packages nginx"
	have caddy || packages="$packages caddy"
	have_daemon haproxy || packages="$packages haproxy"
	have_daemon ip || packages="$packages iproute2"
	have "$(cross_compiler $other)" || packages="$packages $(compiler_packages $other)"
	have $emulator || packages="$packages qemu-user-static"
	have buildah || packages="$packages buildah"
	have systemd-analyze || packages="$packages systemd"
else
	echo "left out on $(uname -s): the tests of docs/deploy, of several nodes and of releases, which need Linux" >&2
fi
have_python_clients || packages="$packages python3-authlib python3-cryptography python3-requests-oauthlib"
have curl || packages="$packages curl"
have sslscan || packages="$packages sslscan"
have node || packages="$packages nodejs"
# Some packages of Node bring npm along, and do not go with Debian's.
have_node_clients || have npm || packages="$packages npm"
# shellcheck disable=SC2086 # one word per package
[ -z "$packages" ] || install $packages

need_compiler
have_browser || fail "Found none of chromium, chromium-browser, google-chrome, google-chrome-stable in PATH: the browser tests need one." \
	"Debian: apt-get install chromium. Elsewhere set LATCHKEY_CHROMIUM to the browser's path."
postgres_programs >/dev/null || [ -n "${LATCHKEY_TEST_POSTGRES:-}" ] || fail "$no_postgres" "$get_postgres" \
	"A server that runs elsewhere will do: set LATCHKEY_TEST_POSTGRES to its URL, with a user that may create databases."
have_daemon pgbouncer || fail "PgBouncer is not in PATH: the store is tested behind it." \
	"Debian, Ubuntu: apt-get install pgbouncer. Fedora: dnf install pgbouncer. macOS: brew install pgbouncer."
have promtool || fail "promtool is not in PATH: the alert rules of docs/deploy are checked with it." \
	"Debian, Ubuntu: apt-get install prometheus. Fedora: dnf install golang-github-prometheus. macOS: brew install prometheus."
if tests_proxies; then
	have_daemon nginx || fail "nginx is not in PATH: docs/deploy/nginx.conf is tested with it." \
		"Debian, Ubuntu: apt-get install nginx. Fedora: dnf install nginx."
	have caddy || fail "Caddy is not in PATH: docs/deploy/Caddyfile is tested with it." \
		"Debian, Ubuntu: apt-get install caddy. Fedora: dnf install caddy."
	have_daemon haproxy || fail "HAProxy is not in PATH: several nodes are tested behind it." \
		"Debian, Ubuntu: apt-get install haproxy. Fedora: dnf install haproxy."
	have_daemon ip || fail "ip is not in PATH: tests cut a node off with it." \
		"Debian, Ubuntu: apt-get install iproute2. Fedora: dnf install iproute."
	for tool in "$(cross_compiler $other)" $emulator buildah systemd-analyze; do
		have "$tool" || fail "$tool is not in PATH: what is released is built and tried with it." \
			"Debian, Ubuntu: apt-get install $(compiler_packages $other) qemu-user-static buildah systemd."
	done
	links_statically || fail "There is no static C library: what is released is linked with it." \
		"Debian, Ubuntu: apt-get install libc6-dev. Fedora: dnf install glibc-static."
fi
have_python_clients || fail "Neither /usr/bin/python3 nor python3 in PATH has Authlib, Cryptography and Requests-OAuthlib." \
	"Debian, Ubuntu: apt-get install python3-authlib python3-cryptography python3-requests-oauthlib." \
	"Elsewhere: pip install authlib cryptography requests requests-oauthlib, in a virtual environment that comes first in PATH."
have curl || fail "curl is not in PATH: the README's first token is tested with it." \
	"Debian, Ubuntu: apt-get install curl."
have sslscan || fail "sslscan is not in PATH: the protocols that the server speaks are tested with it." \
	"Debian, Ubuntu: apt-get install sslscan."
have node || fail "Node is not in PATH." \
	"Debian, Ubuntu: apt-get install nodejs npm. Elsewhere: https://nodejs.org, version 18 or later."
if have_node_clients; then
	exit 0
fi
have npm || fail "npm is not in PATH." \
	"Debian, Ubuntu: apt-get install npm. Elsewhere it comes with Node."
echo "installing: the packages of e2e/clients/package-lock.json" >&2
npm ci --ignore-scripts --no-audit --no-fund >&2 ||
	fail "npm could not install the packages of e2e/clients/package-lock.json: see above."
