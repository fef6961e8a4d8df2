#!/bin/sh
# Which job of a workflow runs, and which is skipped, is what its conditions
# say about the ends of others; what the workflow is in the end, too.
. "${0%/*}/lib.sh"
. "$here/lib-workflows.sh"

start_server
start_pilot --slots 8 --cores 8

make '{"jobs":{
	"good":{"shell":"true"},
	"bad":{"shell":"exit 3"},
	"slow":{"shell":"exec sleep 600","timelimit":1},
	"s.good":{"shell":"true","after":["good"]},
	"s.bad":{"shell":"true","after":["bad"]},
	"f.good":{"shell":"true","after":[{"job":"good","on":"failure"}]},
	"f.bad":{"shell":"true","after":[{"job":"bad","on":"failure"}]},
	"f.slow":{"shell":"true","after":[{"job":"slow","on":"failure"}]},
	"a.good":{"shell":"true","after":[{"job":"good","on":"always"}]},
	"a.bad":{"shell":"true","after":[{"job":"bad","on":"always"}]},
	"a.skipped":{"shell":"true","after":[{"job":"s.bad","on":"always"}]},
	"s.skipped":{"shell":"true","after":["s.bad"]},
	"f.skipped":{"shell":"true","after":[{"job":"s.bad","on":"failure"}]},
	"both":{"shell":"true","after":["good","bad"]}}}'
ends "$flow" failed "each condition, of each end" "good:finished bad:failed slow:timelimit \
s.good:finished s.bad:skipped f.good:skipped f.bad:finished f.slow:finished \
a.good:finished a.bad:finished a.skipped:finished s.skipped:skipped f.skipped:skipped both:skipped"
like "$(node "$flow" both .reason)" 'after "bad"*failed*' "a skipped job says after whom"
is "$(get "$v/workflows/$flow" | jq -r '"\(.jobs) \(.ended) \(.bad)"')" "14 14 2" \
	"skipped is no bad end"

make "{\"jobs\":{
	\"bad\":{\"shell\":\"exit 3\"},
	\"late\":{\"shell\":\"$(gate late)\"},
	\"never\":{\"shell\":\"true\",\"after\":[\"bad\"]},
	\"first\":{\"shell\":\"true\",\"join\":\"any\",\"after\":[{\"job\":\"bad\",\"on\":\"failure\"},\"late\"]},
	\"second\":{\"shell\":\"true\",\"join\":\"any\",\"after\":[\"bad\",\"late\"]},
	\"none\":{\"shell\":\"true\",\"join\":\"any\",\"after\":[\"bad\",\"never\"]},
	\"all\":{\"shell\":\"true\",\"after\":[{\"job\":\"bad\",\"on\":\"failure\"},\"late\"]}}}"
reach "$flow" "bad:failed late:running never:skipped first:finished second:waiting none:skipped all:waiting" \
	"any: the first met condition is enough, all: it is not"
go late
ends "$flow" failed "and one that is met is enough, none is too few" \
	"bad:failed late:finished never:skipped first:finished second:finished none:skipped all:finished"

# The rule of p3s: after the first parent, whatever its exit code.
make "{\"join\":\"any\",\"jobs\":{\"bad\":{\"shell\":\"exit 3\"},
	\"late\":{\"shell\":\"$(gate late)\"},
	\"child\":{\"shell\":\"true\",\"after\":[\"bad\",\"late\"]}}}"
reach "$flow" "bad:failed late:running child:finished" \
	"join any of the document is p3s's rule"
go late
ends "$flow" failed "and the child has run once" "bad:failed late:finished child:finished"
is "$(field "$(node "$flow" child)" '.runs | length')" 1 "and no more"

make '{"jobs":{"bad":{"shell":"exit 3","allow_failure":true},
	"child":{"shell":"true","after":["bad"]}}}'
ends "$flow" finished "allow_failure: the workflow has not failed" "bad:failed child:skipped"

# on_failure: cancel
make "{\"on_failure\":\"cancel\",\"jobs\":{
	\"allowed\":{\"shell\":\"exit 3\",\"allow_failure\":true},
	\"bad\":{\"shell\":\"exit 3\",\"after\":[{\"job\":\"allowed\",\"on\":\"always\"}]},
	\"long\":{\"shell\":\"exec sleep 600\"},
	\"nowhere\":{\"shell\":\"true\",\"site\":\"nowhere\"},
	\"waits\":{\"shell\":\"true\",\"after\":[\"long\"]}}}"
ends "$flow" failed "on_failure cancel: the rest is cancelled" \
	"allowed:failed bad:failed long:cancelled nowhere:cancelled waits:cancelled"
like "$(node "$flow" nowhere .reason)" '*"bad"*failed*' "and says because of whom"

# A cancelled parent is no failure, and no success.
make '{"jobs":{"p":{"shell":"exec sleep 600"},
	"s":{"shell":"true","after":["p"]},
	"f":{"shell":"true","after":[{"job":"p","on":"failure"}]},
	"a":{"shell":"true","after":[{"job":"p","on":"always"}]}}}'
within 20 "a parent runs" eval '[ "$(node "$flow" p .state)" = running ]'
call POST $v/jobs/actions "{\"action\":\"cancel\",\"jobs\":\"$(node "$flow" p)\"}"
ends "$flow" failed "a cancelled job meets only always" "p:cancelled s:skipped f:skipped a:finished"

# A retry is not an end.
make "{\"jobs\":{\"twice\":{\"shell\":\"mkdir $T/once && exit 3; true\",\"retries\":2,\"retry_delay\":0},
	\"child\":{\"shell\":\"true\",\"after\":[\"twice\"]}}}"
ends "$flow" finished "a job with retries ends with its last run" "twice:finished child:finished"

# Noops through any depth
make "$(jq -nc '{jobs: ([{key: "n0", value: {noop: true}}] +
	[range(1; 100) | {key: "n\(.)", value: {noop: true, after: ["n\(. - 1)"]}}] +
	[{key: "end", value: {shell: "true", after: ["n99"]}}] | from_entries)}')"
ends "$flow" finished "a hundred noops in a row pass on that they are ready"
is "$(get "$v/workflows/$flow" | jq -c .states)" '{"finished":101}' "and have all finished"
finish
