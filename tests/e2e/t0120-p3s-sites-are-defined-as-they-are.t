#!/bin/sh
# A p3s site file is taken whole; pilots of the site get its environment.
. "${0%/*}/lib.sh"
. "$here/lib-p3s.sh"

start_server
for file in "$p3s"/sites/*.json; do
	exits 0 "${file##*/} is accepted" sortie site define "$file"
	name=$(jq -r .name "$file")
	get "/api/v1/sites/$name" >"$T/site"
	is "$(jq -c --slurpfile want "$file" \
		'. as $got | [$want[0] | to_entries[] |
			select($got[.key] != .value) | .key]' "$T/site")" "[]" \
		"and kept whole"
done
exits 0 "sites are listed" sortie site list
like "$said" "*lxvm*" "by name"

name=$(jq -r .name "$p3s/sites/sagebrush.json")
submit '{"shell":"echo $P3S_SITE $P3S_DIRPATH $P3S_LARSOFT"}'
start_pilot --site "$name" --wait 1
within 10 "a pilot of the site runs a job" job_is "$job" finished
is "$(output "$job")" "sagebrush /home/maxim/p3sdata/ None" \
	"with the site's environment"
submit '{"env":{"P3S_LARSOFT":"mine"},"shell":"echo $P3S_LARSOFT"}'
within 10 "a job may say otherwise" output_is "$job" mine
ok "a site can be deleted" sortie site delete test
call GET /api/v1/sites/test
is "$status" 404 "and is gone then"
finish
