# What the other scripts here share. Each sets "again", the command to run once
# something that was missing is there.
# shellcheck shell=sh disable=SC2154

# fail prints each argument as a line and ends the script.
fail() {
	for line in "$@"; do
		printf '%s\n' "$line" >&2
	done
	printf 'Then run %s again.\n' "$again" >&2
	exit 1
}

have() {
	command -v "$1" >/dev/null 2>&1
}

have_compiler() {
	have "$(go env CC)"
}

# as_root fails where that takes a password.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		env "$@"
	else
		sudo -n env "$@"
	fi
}

may_install() {
	have apt-get && as_root true 2>/dev/null
}

# install leaves it to the checks of the caller whether it worked. What it
# installs is started by who needs it, not as a service of the machine.
install() {
	may_install || return 0
	echo "installing: $*" >&2
	policy=/usr/sbin/policy-rc.d
	made=
	if [ ! -e "$policy" ]; then
		made=$policy
		printf '#!/bin/sh\nexit 101\n' | as_root sh -c "cat >$policy && chmod 755 $policy"
	fi
	{ as_root apt-get update &&
		as_root DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >&2 || true
	[ -z "$made" ] || as_root rm -f "$made"
}

need_go() {
	have go || fail "Go is not in PATH." "Install the version that go.mod names, or a later one."
}

need_compiler() {
	have_compiler || fail "No C compiler ($(go env CC)), which the SQLite driver needs." \
		"Debian, Ubuntu: apt-get install gcc libc6-dev. Fedora: dnf install gcc. macOS: xcode-select --install."
}
