#!/bin/sh
# However a file arrives, the injector makes one dataset and one workflow of
# it, when it is whole, and its jobs get the path.
. "${0%/*}/lib.sh"

start_server
start_pilot --slots 4
mkdir "$T/in" "$T/out"
cat >"$T/dag.json" <<END
{"jobs": {"SOURCE": {"jobtype": "noop"},
	"copy": {"shell": "cp \"\$IN\" \"$T/out/\$(basename \"\$P3S_INPUT_FILE\")\""}},
 "datasets": [{"from": "SOURCE", "to": "copy", "tag": "IN", "name": "none",
	"directory": "/none"}]}
END
ok "a dag" sortie dag add "$T/dag.json" --name copy

# injector OPTION...: its pid is in $injector.
injector()
{
	sortie inject --dag copy -m '*.root' -r "$@" "$T/in" \
		>>"$T/inject.out" 2>>"$T/inject.log" &
	injector=$!
	started $injector other
}

# arrived NAME TEXT: its workflow has run on these contents.
arrived()
{
	[ "$(cat "$T/out/$1")" = "$2" ]
}

# taken NAME: how often it was injected.
taken()
{
	sortie inject --status --dag copy --ndjson |
		jq -r .path | grep -c "/$1\$"
}

echo before >"$T/in/before.root"
injector --settle 1 --min-size 3
within 10 "a file that was there" arrived before.root before
echo plain >"$T/in/plain.root"
within 10 "a file that comes" arrived plain.root plain
now_cs
echo renamed >"$T/in/x.tmp"
mv "$T/in/x.tmp" "$T/in/renamed.root"
within 10 "a file that is renamed into place" arrived renamed.root renamed
was=$now
now_cs
ok "at once: within a second" test $((now - was)) -le 100
mkdir -p "$T/in/a/b"
echo deep >"$T/in/a/b/deep.root"
within 10 "a file in a new directory" arrived deep.root deep
echo 'b c' >"$T/in/b  c
d.root"
within 10 "a name with blanks and a line end" eval \
	'[ "$(cat "$T/out/b  c
d.root")" = "b c" ]'
any=$(printf 'any\377\001.root')
echo any >"$T/in/$any"
within 10 "a name of any bytes" arrived "$any" any
mkfifo "$T/go"
(
	exec 3>"$T/in/slow.root"
	echo one >&3
	read -r x <"$T/go"
	echo two >&3
) 3>&- &
writer=$!
started $writer other
echo done >"$T/in/after.root"
within 10 "while a file is being written for long" arrived after.root done
throughout 2 "it is not taken" test ! -e "$T/out/slow.root"
tell "$T/go"
within 10 "but when it is closed" arrived slow.root "one
two"
exec 3>>"$T/in/twice.root"
echo first >&3
: >"$T/in/twice.root"
echo second >&3
exec 3>&-
within 10 "one that is truncated and written anew" arrived twice.root second
exec 3>"$T/in/gone.root"
echo gone >&3
rm "$T/in/gone.root"
exec 3>&-
echo next >"$T/in/next.root"
within 10 "one that comes behind a deleted one" arrived next.root next
is "$(taken twice.root) $(taken gone.root)" "1 0" \
	"each is taken as often as it is there when it is complete"
printf 12 >"$T/in/small.root"
echo 1234 >"$T/in/large.root"
within 10 "a large one" arrived large.root 1234
is "$(taken small.root)" 0 "goes before one that is too small"
printf 3 >>"$T/in/small.root"
within 10 "until it has grown" arrived small.root 123
queue=$(cat /proc/sys/fs/inotify/max_queued_events)
if [ "$queue" -le 50000 ]; then
	kill -STOP "$injector"
	awk -v n=$((queue / 2)) -v at="$T/in/" 'BEGIN {
		for (i = 0; i < n; i++) {
			file = at i ".tmp"
			print i >file
			close(file)
		}
	}'
	echo late >"$T/in/late.root"
	kill -CONT "$injector"
	within 20 "a file that inotify had no room for" arrived late.root late
	ok "is found by looking" grep -q 'than inotify could keep' "$T/inject.log"
	find "$T/in" -name '*.tmp' -delete
else
	skip "a file that inotify had no room for" "it has room for $queue"
fi
ln -s before.root "$T/in/link.root"
echo other >"$T/in/other.txt"
echo changed >"$T/in/plain.root"
echo last >"$T/in/last.root"
within 10 "another file" arrived last.root last
is "$(taken link.root) $(taken other.txt) $(taken plain.root)" "0 0 1" \
	"links, other names, and what has changed are left alone"
kill "$injector"
within 10 "told to stop it stops" gone "$injector"
wait "$injector"
is $? 0 "with success"

n=$(sortie inject --status --dag copy --ndjson | wc -l)
exits 0 "all of it again" sortie inject --dag copy -m '*.root' -r --once "$T/in"
like "$said" "* 0 files injected, * known before*" "makes nothing"
is "$(sortie inject --status --dag copy --ndjson | wc -l)" "$n" \
	"and leaves the record as it is"
is "$(sortie workflow list --ndjson | wc -l)" "$n" \
	"there are as many workflows as files"
is "$(sortie inject --status --dag copy --ndjson |
	jq -r 'select(.path | endswith("/deep.root")) |
		[.version, .size, .state, .seen_at <= .complete_at,
		.complete_at <= .made_at] | join(" ")')" \
	"1 5 finished true true" "each file has its record"
call GET "/api/v1/datasets?path=$T/in/plain.root"
is "$(of '.items[0] | "\(.state) \(.size)"')" "ready 6" "and its dataset"

is "$(sortie inject --status --dag copy -q -n 2 | wc -l)" 2 "or as much as is asked for"
is "$(sortie inject --status --path "$T/in/plain.root" -q)" "$T/in/plain.root" "or one file"
is "$(sortie inject --status --state failed,held 2>&1)" "sortie: nothing was injected" \
	"or those that failed"
mkdir "$T/empty"
exits 0 "a look at nothing" timeout 10 sortie inject --dag copy --once \
	--period 1h "$T/empty"
like "$said" "* 0 files injected*" "ends at once"
exits 5 "a dag that is not there" timeout 10 sortie inject --dag cpoy "$T/empty"
like "$said" '*there is no dag "cpoy"*' "is told before a file comes"
exits 1 "a datatype that is not there" timeout 10 sortie inject --dag copy --datatype none "$T/empty"
like "$said" 'sortie: --datatype "none"*' "is told before a file comes, too"
exits 3 "without a server a single look" timeout 10 \
	env SORTIE_URL="unix:$T/none.sock" sortie inject --dag copy --once "$T/in"
like "$said" '*no server answers*' "gives up"
echo told >"$T/empty/told.root"
is "$(sortie inject --dag copy --name told --once --json "$T/empty" \
	2>/dev/null | jq -r --slurp 'length, .[0].path, .[0].created' | paste -sd ' ')" \
	"1 $T/empty/told.root true" "with --json an injection is a document"
is "$(sortie inject --dag copy --name lines --once --json "$T/empty" \
	2>/dev/null | wc -l)" 1 "on one line"

# older FILE SECONDS: so long it has been there.
older()
{
	[ $(($(date +%s) - $(stat -c %Z "$1"))) -gt "$2" ]
}

within 10 "a file gets old" older "$T/empty/told.root" 4
echo young >"$T/empty/young.root"
is "$(sortie inject --dag copy --name aged --max-age 4 --once --json \
	"$T/empty" 2>/dev/null | jq -r .path)" "$T/empty/young.root" \
	"what was there for long is passed over"

exits 0 "asked for, a file that changed" sortie inject --dag copy --again \
	-m '*.root' --once "$T/in"
within 10 "is injected again" arrived plain.root changed
is "$(taken plain.root)" 2 "as a new version"
exits 0 "followed, a link" sortie inject --dag copy --follow -m '*.root' \
	--once --settle 0 "$T/in"
within 10 "is a file" arrived link.root before

exits 1 "an edge that is not there" timeout 10 \
	sortie inject --dag copy --edge copy:SOURCE "$T/empty"
like "$said" '*--edge*"copy:SOURCE"*' "is told before a file comes"
exits 1 "a job that is not there" timeout 10 \
	sortie inject --dag copy --jobinfo '{"cpoy": {}}' "$T/empty"
like "$said" '*--jobinfo*"cpoy"*' "too"
token=$(sortie token create --name few --role user --project p -q)
exits 4 "a project that the token may not use" timeout 10 \
	env SORTIE_TOKEN="$token" sortie inject --dag copy "$T/empty"
like "$said" '*may not use the project "default"*' "too"
exits 1 "a project that is no name" timeout 10 sortie inject --dag copy --project "" "$T/empty"
like "$said" '*--project*' "too"
exits 5 "a dag that is not there" sortie inject --dag none --name x --once "$T/in"
exits 2 "no directory" sortie inject --dag copy
exits 2 "no such directory" sortie inject --dag copy "$T/nowhere"
exits 2 "neither dag nor job" sortie inject "$T/in"
exits 2 "a name that nothing is in" sortie inject --dag copy --name "" "$T/in"
exits 2 "both" sortie inject --dag copy --job "$T/dag.json" "$T/in"
finish
