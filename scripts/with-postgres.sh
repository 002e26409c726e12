#!/bin/sh
# Runs a command with LATCHKEY_TEST_POSTGRES set to the URL of a PostgreSQL server
# of its own, as a superuser. The server lives in a temporary folder, is stopped
# and removed with the end of the command, and would lose data in a crash: it is
# for tests. A server that LATCHKEY_TEST_POSTGRES names already is used instead.
# POSTGRES_OPTIONS are further options of the server, and win over those below.
#
#	scripts/with-postgres.sh go test ./...
set -eu

again="scripts/with-postgres.sh"
. "$(dirname "$0")/lib.sh"

[ $# -gt 0 ] || fail "Say which command to run: scripts/with-postgres.sh go test ./..."
[ -z "${LATCHKEY_TEST_POSTGRES:-}" ] || exec "$@"

bin=$(postgres_programs) || fail "$no_postgres" "$get_postgres" \
	"A server that runs elsewhere will do: set LATCHKEY_TEST_POSTGRES to its URL, with a user that may create databases."

# PostgreSQL refuses to run as root.
owner=
if [ "$(id -u)" -eq 0 ]; then
	owner=nobody
	if id postgres >/dev/null 2>&1; then
		owner=postgres
	fi
	have runuser || fail "runuser is not in PATH, and PostgreSQL does not run as root." \
		"Debian, Ubuntu: apt-get install util-linux. Elsewhere run this as another user."
fi

folder=$(mktemp -d)
# Its owner, as whom PostgreSQL's programs run; they want a folder that they can be in.
as_owner() (
	cd "$folder"
	if [ -n "$owner" ]; then
		exec runuser -u "$owner" -- "$@"
	fi
	exec "$@"
)

finish() {
	if [ -f "$folder/data/postmaster.pid" ]; then
		as_owner "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true
	fi
	rm -rf "$folder"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

broken() {
	cat "$folder/log" >&2
	fail "$1: see above."
}

random() {
	od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

password=$(random 16)
printf '%s\n' "$password" >"$folder/password"
: >"$folder/log"
[ -z "$owner" ] || chown -R "$owner" "$folder"
# MD5 as SCRAM takes its time at each connection, of which tests make thousands.
as_owner "$bin/initdb" -D "$folder/data" -U latchkey --auth=md5 --pwfile="$folder/password" \
	--encoding=UTF8 --locale=C --no-sync >"$folder/log" 2>&1 || broken "initdb made no database in $folder"

# Below what systems hand out by themselves; a port that is taken is left alone.
start() {
	for _ in 1 2 3 4 5 6 7 8; do
		port=$((20000 + 0x$(random 2) % 12000))
		as_owner "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w -t 60 -o "-p $port -c listen_addresses=127.0.0.1 \
			-c unix_socket_directories= -c max_connections=300 -c fsync=off -c full_page_writes=off -c synchronous_commit=off ${POSTGRES_OPTIONS:-}" \
			start >/dev/null 2>&1 && return 0
		grep -q 'could not create any TCP/IP sockets' "$folder/log" || return 1
	done
	return 1
}
start || broken "PostgreSQL does not start"

code=0
LATCHKEY_TEST_POSTGRES="postgres://latchkey:$password@127.0.0.1:$port/postgres?sslmode=disable" "$@" || code=$?
exit "$code"
