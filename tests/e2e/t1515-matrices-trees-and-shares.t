#!/bin/sh
# What a document unfolds into: jobs over environments, trees, environments
# over one another, and a bound on how many run.
. "${0%/*}/lib.sh"
. "$here/lib-workflows.sh"

start_server
start_pilot --slots 8 --cores 8

make "{\"env\":{\"A\":\"flow\",\"B\":\"flow\",\"C\":\"flow\"},\"jobs\":{
	\"m\":{\"shell\":\"echo \$A \$B \$C \$SORTIE_INDEX >>$T/m\",\"env\":{\"B\":\"job\",\"C\":\"job\"},
		\"matrix\":[{\"C\":\"x\"},{\"C\":\"y\"},{\"C\":\"z\"}]},
	\"after\":{\"shell\":\"wc -l <$T/m >$T/after\",\"after\":[\"m\"]},
	\"each\":{\"shell\":\"true\",\"matrix\":[{\"K\":\"1\"},{\"K\":\"2\"}],\"after\":[\"m\"]}}}"
ends "$flow" finished "a matrix is a job for each environment" \
	"m[0]:finished m[1]:finished m[2]:finished after:finished each[0]:finished each[1]:finished"
is "$(sort "$T/m" | paste -sd,)" "flow job x 0,flow job y 1,flow job z 2" \
	"its environment wins over the job's, that over the workflow's"
is "$(cat "$T/after")" 3 "after a matrix is after all of it"

make '{"jobs":{"m":{"shell":"[ $K = 1 ]","matrix":[{"K":"1"},{"K":"2"}]},
	"after":{"shell":"true","after":["m"]},
	"failed":{"shell":"true","join":"any","after":[{"job":"m","on":"failure"}]}}}'
ends "$flow" failed "one bad end of a matrix is enough" \
	"m[0]:finished m[1]:failed after:skipped failed:finished"

make "{\"jobs\":{\"root\":{\"shell\":\"echo root >>$T/tree\",\"children\":{
	\"l\":{\"shell\":\"echo l >>$T/tree; exit 3\",\"children\":[{\"name\":\"ll\",\"shell\":\"echo ll >>$T/tree\"}]},
	\"r\":{\"shell\":\"echo r >>$T/tree\",\"children\":{\"rr\":{\"shell\":\"echo rr >>$T/tree\"}}}}}}}"
ends "$flow" failed "a tree: children come after their parents" \
	"root:finished l:failed ll:skipped r:finished rr:finished"
is "$(head -n 1 "$T/tree") $(sort "$T/tree" | paste -sd' ')" "root l r root rr" "in order"

for i in 0 1 2 3 4; do
	gate $i >"$T/gate"
done
count_is()
{
	[ "$(states "$flow" | tr ' ' '\n' | grep -c ":$1\$")" = "$2" ]
}
make "{\"max_running\":2,\"jobs\":{\"m\":{\"shell\":\"read x <$T/gate.\$SORTIE_INDEX\",
	\"matrix\":[{},{},{},{},{}]}}}"
within 20 "max_running: as many run" count_is running 2
throughout 1 "and no more" count_is waiting 3
call GET "$v/jobs/$(node "$flow" 'm[4]')/explain"
like "$answer" "*workflow*" "the others are told to wait for their workflow's share"
call PATCH $v/workflows/"$flow" '{"max_running":4}'
is "$status" 200 "it is raised"
within 20 "and more run" count_is running 4
for i in 0 1 2 3 4; do
	go $i
done
ends "$flow" finished "all have run"

# What the workflow has, and what its request says over it
make "{\"document\":{\"name\":\"doc\",\"env\":{\"A\":\"doc\",\"B\":\"doc\"},\"priority\":3,
	\"jobs\":{\"j\":{\"shell\":\"echo \$A \$B >$T/env\"},\"k\":{\"shell\":\"true\",\"priority\":7}}},
	\"name\":\"asked\",\"env\":{\"B\":\"asked\",\"C\":\"asked\"}}"
is "$(of .name)" asked "the request's name wins"
ends "$flow" finished "it ends"
is "$(cat "$T/env")" "doc asked" "and its environment"
is "$(field "$(node "$flow" j)" .priority) $(field "$(node "$flow" k)" .priority)" "3 7" \
	"a job's own priority wins over the document's"
finish
