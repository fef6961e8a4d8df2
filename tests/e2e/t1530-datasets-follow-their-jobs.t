#!/bin/sh
# The files between jobs: declared when the workflow is made, ready or missing
# as their jobs end, and traced up and down.
. "${0%/*}/lib.sh"
. "$here/lib-workflows.sh"

start_server
start_pilot --slots 4 --cores 4
mkdir "$T/d"

# datasets WORKFLOW: names and states.
datasets()
{
	get "$v/datasets?workflow=$1" |
		jq -r '[.items[] | .name + ":" + .state] | sort | join(" ")'
}

# edge FROM TO TAG NAME [MORE]
edge()
{
	echo "{\"from\":\"$1\",\"to\":\"$2\",\"tag\":\"$3\",\"name\":\"$4\",\"directory\":\"$T/d\"${5:+,$5}}"
}

# of_path PATH: the dataset's number.
of_path()
{
	get "$v/datasets?path=$1" | jq -r '.items[0].number'
}

make "{\"state\":\"held\",\"jobs\":{\"src\":{\"noop\":true},
	\"one\":{\"shell\":\"cat \$IN \$IN >\$MID\"},
	\"two\":{\"shell\":\"cat \$MID \$MID >\$OUT\"},
	\"three\":{\"shell\":\"wc -l <\$MID >\$COUNT\"},
	\"end\":{\"noop\":true}},
	\"datasets\":[$(edge src one IN in),$(edge one two MID mid),$(edge one three MID mid),
	$(edge two end OUT out),$(edge three end COUNT count)]}"
is "$(datasets "$flow")" "count:declared in:declared mid:declared out:declared" \
	"the files of a workflow are declared, each once"
echo line >"$T/d/in"
act "$flow" start
ends "$flow" finished "its jobs find them by their tags" \
	"src:finished one:finished two:finished three:finished end:finished"
is "$(cat "$T/d/out" | wc -l) $(cat "$T/d/count")" "4 2" "and write them"
is "$(datasets "$flow")" "count:ready in:ready mid:ready out:ready" "so that they are ready"
get "$v/datasets?workflow=$flow" >"$T/list"
is "$(jq -r '.items[] | select(.name == "mid") | .size' "$T/list")" 10 "with their sizes"
mid=$(jq -r '.items[] | select(.name == "mid") | .number' "$T/list")
get "$v/datasets/$mid" >"$T/mid"
is "$(jq -r .producer "$T/mid") $(jq -c '.consumers | sort' "$T/mid")" \
	"$((first + 1)) [$((first + 2)),$((first + 3))]" "a dataset knows who made it and who reads it"
is "$(jq -r .producer_run "$T/mid")" 1 "by which run"
is "$(jq -r '[.up[].name] | join(" ")' "$T/mid") / $(jq -r '[.down[].name] | sort | join(" ")' "$T/mid")" \
	"in / count out" "from what, and what became of it"
like "$(sortie dataset show "$mid")" "*made from*/in,*went into*/out,*/count,*" "the command tells it, too"

make "{\"jobs\":{\"src\":{\"noop\":true},\"late\":{\"shell\":\"cat \$IN >\$LATE\"},
	\"end\":{\"noop\":true}},
	\"datasets\":[$(edge src late IN in),$(edge late end LATE late)]}"
ends "$flow" finished "another workflow reads the same file"
is "$(datasets "$flow")" "in:ready late:ready" "which is one of its files, too"
cd "$T/d"
is "$(sortie dataset register ./in sub/new)" "dataset $(of_path "$T/d/in") is registered already: $T/d/in
dataset $(of_path "$T/d/sub/new") registered: $T/d/sub/new" "a path is what it is from here"
cd "$OLDPWD"
exits 0 "the same path at a site" sortie dataset register --site far "$T/d/in"
exits 0 "is adjusted there" sortie dataset adjust --site far "$T/d/in" \
	--comment other --tag FAR --size 1KiB --state missing
is "$(sortie dataset show --site far "$T/d/in" --json |
	jq -r '[.comment, .tag, .size, .state] | join(" ")')" \
	"other FAR 1024 missing" "in all that can change"
is "$(sortie dataset show "$T/d/in" --json | jq -r .tag)" IN "and not here"
exits 0 "it is deleted there" sortie dataset delete --site far "$T/d/in"
is "$(sortie dataset show "$T/d/in" --json | jq -r .state)" ready "alone"
sortie dataset register -q "$T/r1" "$T/r2" "$T/r3" >"$T/made"
exits 0 "all that was registered last is adjusted" sortie dataset adjust --tag R @last
is "$(sortie dataset list -q --tag R | sort -n)" "$(sort -n "$T/made")" "at once"
is "$(sortie dataset list -q --owner nobody; sortie dataset list -q -p elsewhere)" \
	"" "nobody else has any, nor has another project"
exits 0 "a range is deleted" sortie dataset delete "$(head -n 1 "$T/made")-$(tail -n 1 "$T/made")"
is "$(sortie dataset list -q --tag R -s ready)" "" "whole"

# Missing
make "{\"jobs\":{\"bad\":{\"shell\":\"exit 3\"},\"child\":{\"shell\":\"true\"},
	\"liar\":{\"shell\":\"true\"},\"believer\":{\"shell\":\"true\"}},
	\"datasets\":[$(edge bad child X x),$(edge liar believer Y y)]}"
ends "$flow" failed "a file that was promised and is not there fails its job" \
	"bad:failed child:skipped liar:failed believer:skipped"
is "$(node "$flow" liar .reason)" "output missing: $T/d/y" "by name"
is "$(datasets "$flow")" "x:missing y:missing" "both are missing"
make "{\"jobs\":{\"src\":{\"noop\":true},\"reader\":{\"shell\":\"echo never >>$T/never\"}},
	\"datasets\":[$(edge src reader Z z)]}"
ends "$flow" failed "so does one that comes from outside" "src:finished reader:failed"
is "$(node "$flow" reader .reason)" "input missing: $T/d/z" "by name"
[ -e "$T/never" ] && fail "its payload did not start" || pass "its payload did not start"
: >"$T/d/z"
act "$flow" retry
ends "$flow" finished "when it has come a retry finds it" "src:finished reader:finished"
is "$(datasets "$flow")" "z:ready" "and it is ready"

# A retry makes what was missing ready.
make "{\"jobs\":{\"w\":{\"shell\":\"test -e $T/may && echo 1 >\$W\"},\"r\":{\"shell\":\"cat \$W\"}},
	\"datasets\":[$(edge w r W w)]}"
ends "$flow" failed "a producer fails" "w:failed r:skipped"
: >"$T/may"
act "$flow" retry
ends "$flow" finished "and is retried" "w:finished r:finished"
is "$(datasets "$flow")" "w:ready" "what it makes is no longer missing"

# Two producers
refuse "two jobs that write one file" 400 "*\"a\"*\"b\"*" POST $v/workflows \
	"{\"jobs\":{\"a\":{\"shell\":\"true\"},\"b\":{\"shell\":\"true\"},\"c\":{\"shell\":\"true\"}},
	\"datasets\":[$(edge a c X same),$(edge b c Y same)]}"
like "$(of .error.message)" "*$T/d/same*" "are told which"
make "{\"jobs\":{\"a\":{\"shell\":\"$(gate w) && echo >\$X\"},\"c\":{\"shell\":\"true\"}},\"datasets\":[$(edge a c X other)]}"
refuse "a file that a job is making already" 409 "*$T/d/other*job*" POST $v/workflows \
	"{\"jobs\":{\"b\":{\"shell\":\"true\"},\"c\":{\"shell\":\"true\"}},\"datasets\":[$(edge b c X other)]}"
go w
ends "$flow" finished "the first one makes it" "a:finished c:finished"

# Names of their own, checked sums, places far away
call PUT $v/datatypes/TXT '{"ext":".txt"}'
make "{\"names\":\"uuid\",\"document\":{\"jobs\":{\"a\":{\"shell\":\"echo 1 >\$A\"},\"b\":{\"shell\":\"cat \$A\"},
	\"far\":{\"shell\":\"echo \$FAR >$T/far\"},\"src\":{\"noop\":true}},
	\"datasets\":[{\"from\":\"a\",\"to\":\"b\",\"tag\":\"A\",\"directory\":\"$T/d/\",\"datatype\":\"TXT\"},
	{\"from\":\"src\",\"to\":\"far\",\"tag\":\"FAR\",\"uri\":\"root://host//store/f\"}]}}"
ends "$flow" finished "names uuid: files get names of their own"
like "$(get "$v/datasets?workflow=$flow" | jq -r '.items[] | select(.tag == "A") | .path')" \
	"$T/d/????????-????-????-????-????????????.txt" "with the datatype's extension"
is "$(cat "$T/far")" "root://host//store/f" "a URI is given as it is, and not looked for"

# A path without a directory is each workflow's own, and is found by jobs that
# run in one place.
own()
{
	echo "{\"name\":\"own\",\"jobs\":{\"a\":{\"shell\":\"echo $1 >\$X\"${2-}},
		\"b\":{\"shell\":\"cat \$X >$T/read.$1\"${2-}}},
		\"datasets\":[{\"from\":\"a\",\"to\":\"b\",\"tag\":\"X\",\"name\":\"relative\"}]}"
}
refuse "a file between jobs that do not run in one place" 400 '*"b"*"relative"*"a"*"directory"*"cwd"*' \
	POST $v/workflows "$(own 0)"
for i in 1 2; do
	mkdir "$T/cwd$i"
	make "$(own $i ",\"cwd\":\"$T/cwd$i\"")"
	ends "$flow" finished "a relative path in a common directory is found" "a:finished b:finished"
	get "$v/datasets?workflow=$flow" | jq -r '.items[0].number' >>"$T/relative"
done
is "$(cat "$T/read.1" "$T/read.2" | tr '\n' ' ')" "1 2 " "by the jobs of its own workflow"
is "$(sort -u "$T/relative" | wc -l)" 2 "two workflows have each a file of one relative path"

finish
