#!/bin/sh
# An open workflow takes jobs at any time, runs them at once, and ends when it
# is closed and all have ended.
. "${0%/*}/lib.sh"
. "$here/lib-workflows.sh"

start_server
start_pilot --slots 4 --cores 4

echo '{"name":"grow","open":true,"env":{"X":"1"},"jobs":{"a":{"shell":"test $X = 1"}}}' >"$T/w.json"
flow=$(sortie workflow create -q "$T/w.json")
reach "$flow" "a:finished" \
	"the first job runs"
throughout 1 "an open workflow does not end with its last job" flow_is "$flow" running
cat >"$T/more.json" <<'END'
{"jobs":{"b":{"shell":"exit $X","after":["a"]},
	"c":{"shell":"test $X = 1","after":[{"job":"b","on":"failure"}]}}}
END
exits 0 "jobs are added" sortie workflow add "$flow" "$T/more.json"
like "$said" "*3 jobs*" "and counted"
reach "$flow" "a:finished b:failed c:finished" \
	"they run at once, after jobs that ended long ago"
echo '{"jobs":{"d":{"shell":"true","after":["b"]},"e":{"shell":"true","after":["c"]}}}' >"$T/more.json"
exits 0 "more are added" sortie workflow add "$flow" "$T/more.json"
reach "$flow" "a:finished b:failed c:finished d:skipped e:finished" \
	"what can no longer be met is skipped at once"
exits 6 "who waits meanwhile gives up" sortie workflow wait --timeout 1 "$flow"
like "$said" '*it is open: *workflow close*' "and hears why"
exits 0 "it is closed" sortie workflow close "$flow"
is "$said" "workflow $flow closed" "as it says"
exits 1 "and has ended" sortie workflow wait --timeout 20 "$flow"
like "$said" "*failed*" "as failed"
exits 1 "a closed one takes no more" sortie workflow add "$flow" "$T/more.json"

make '{"open":true,"close":"auto","jobs":{}}'
auto=$flow
throughout 1 "close auto does not close an empty one" flow_is "$auto" running
call POST $v/workflows/"$auto"/jobs "{\"jobs\":{\"a\":{\"shell\":\"$(gate a)\"}}}"
call POST $v/workflows/"$auto"/jobs '{"jobs":{"b":{"shell":"true","after":["a"]}}}'
is "$status" 201 "jobs are added while others run"
go a
ends "$auto" finished "close auto ends it with its last job" "a:finished b:finished"
is "$(get $v/workflows/"$auto" | jq -r .open)" false "closed"

make '{"open":true,"state":"held","jobs":{}}'
call POST $v/workflows/"$flow"/jobs '{"jobs":{"a":{"shell":"true"}}}'
throughout 1 "a held one holds what is added" states_are "$flow" "a:waiting"
act "$flow" close
act "$flow" start
ends "$flow" finished "until it is started" "a:finished"
make '{"open":true,"jobs":{}}'
act "$flow" close
ends "$flow" finished "an empty one ends when it is closed"

# A file of one job's output is another's input, across additions.
make "{\"open\":true,\"jobs\":{\"w\":{\"shell\":\"echo w >$T/w\",\"outputs\":[{\"path\":\"$T/w\",\"tag\":\"F\"}]}}}"
call POST $v/workflows/"$flow"/jobs "{\"jobs\":{\"r\":{\"shell\":\"cat \$F >$T/r\"}},
	\"datasets\":[{\"from\":\"w\",\"to\":\"r\",\"tag\":\"F\",\"name\":\"w\",\"directory\":\"$T\"}]}"
is "$status" 201 "an edge from a job that is there"
act "$flow" close
ends "$flow" finished "carries its file" "w:finished r:finished"
is "$(cat "$T/r")" w "to the job that was added"
finish
