#!/bin/sh
# Every route for every role: roles.tsv says what is answered, roles.py tries
# it, and a route without a row fails.
. "${0%/*}/lib.sh"
python=/usr/bin/python3
[ -x $python ] || skip_all "python3 is not installed"

start_server
sortied --print-routes >"$T/routes"
$python "$here/roles.py" "$here/roles.tsv" "$sock" \
	"$token" "$T/routes" >"$T/said" 2>"$T/roles.err" ||
	fail "all cells are tried" "$(tail -n 5 "$T/roles.err")"
tab=$(printf '\t')
while IFS=$tab read -r verdict claim why; do
	case $verdict in
	ok) pass "$claim" ;;
	*) fail "$claim" "$why" ;;
	esac
done <"$T/said"
finish
