# Where the job files and sites of a running p3s stand, for the tests that
# take them as they are. They are not the project's: sourced behind lib.sh,
# this skips the test where they are not beside the checkout.
p3s=
for dir in "$top/../shared/p3s-inputs" "$top/../../shared/p3s-inputs"; do
	[ -d "$dir" ] && p3s=$(cd "$dir" && pwd) && break
done
[ -n "$p3s" ] ||
	skip_all "shared/p3s-inputs does not stand beside the checkout"

# Every file whose document is a list of jobs.
p3s_job_files()
{
	find "$p3s" -name '*.json' ! -path '*/sites/*' | LC_ALL=C sort |
		while read -r file; do
			jq -e 'type == "array" and (.[0] | has("payload"))' \
				"$file" >/dev/null 2>&1 && echo "$file"
		done
}
