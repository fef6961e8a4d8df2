# Raw bytes at a server: raw.py speaks, its verdicts become claims. After
# lib.sh.

python=/usr/bin/python3
[ -x $python ] || skip_all "python3 is not installed"

# raw WHERE PART...
raw()
{
	raw_where=$1
	shift
	$python "$here/raw.py" "$raw_where" "$token" "$server_pid" "$@" \
		>"$T/verdicts" 2>"$T/raw.out" ||
		fail "raw.py $*" "$(tail -n 20 "$T/raw.out")"
	while IFS="$(printf '\t')" read -r verdict claim why; do
		case $verdict in
		ok) pass "$claim" ;;
		*) fail "$claim" "$why" ;;
		esac
	done <"$T/verdicts"
}
