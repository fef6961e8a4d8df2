#!/bin/sh
# With a stand-in at the path that a p3s file names, and a pilot started with
# an empty environment, a payload sees the job's variables and the injected
# ones, each with its value, and nothing else.
. "${0%/*}/lib.sh"
. "$here/lib-p3s.sh"

# The paths are absolute and not ours: tmpfs hides what is there, for this
# test and its children alone.
if [ -z "${SORTIE_TEST_UNSHARED:-}" ]; then
	[ "$(id -u)" = 0 ] ||
		skip_all "stand-ins at the files' own paths need root"
	# Of a root that is no mount nothing can be made private, but then
	# nothing may be shared either.
	mounts=private
	grep -q ' shared:' /proc/self/mountinfo || mounts=unchanged
	unshare -m --propagation $mounts true 2>/dev/null ||
		skip_all "no mount namespaces here"
	finished=yes
	rm -rf "$T"
	SORTIE_TEST_UNSHARED=1 exec unshare -m --propagation $mounts "$0"
fi

p3s_job_files >"$T/files"
xargs -n 1 jq -r '.[].payload | split(" ")[0] | select(startswith("/"))' \
	<"$T/files" | sort -u >"$T/payloads"
for dir in $(cut -d / -f 2 "$T/payloads" | sort -u); do
	case $dir in
	home | afs | mnt | eos) ;;
	*) give_up "the files name places that can be stood in for" "/$dir" ;;
	esac
	if [ ! -d "/$dir" ]; then
		mkdir "/$dir" && echo "/$dir" >>"$T/made"
	fi
	mount -t tmpfs stand-in "/$dir" && echo "/$dir" >>"$T/mounts"
done
while read -r path; do
	mkdir -p "${path%/*}"
	# As it was handed over: the shell itself adds to it.
	echo '#!/bin/sh' >"$path"
	echo 'tr "\\000" "\\n" </proc/$$/environ'  >>"$path"
	chmod 755 "$path"
done <"$T/payloads"

start_server
pilot_program=$(command -v sortie-pilot)
PILOT_ENV="env -i PATH=${pilot_program%/*}:/usr/bin:/bin"
start_pilot --slots 4
: >"$T/numbers"
while read -r file; do
	jq 'map(select(.payload | startswith("/")))' "$file" >"$T/file"
	[ "$(jq length "$T/file")" != 0 ] || continue
	submit "$(cat "$T/file")"
	n=$(of '.jobs | length')
	i=0
	while [ $i -lt "$n" ]; do
		echo "$((job + i)) $i $file" >>"$T/numbers"
		i=$((i + 1))
	done
done <"$T/files"
within 60 "all run" counts finished "$(wc -l <"$T/numbers")"

wrong=
while read -r n i file; do
	get "/api/v1/jobs/$n" >"$T/view"
	jq -r '"SORTIE_JOB_ID=\(.id)", "SORTIE_JOB_NUMBER=\(.number)",
		"SORTIE_JOB_NAME=\(.name)", "SORTIE_RUN=\(.runs[0].run)",
		"SORTIE_PROJECT=\(.project)", "SORTIE_PILOT_ID=\(.pilot.id)",
		"P3S_JOB_UUID=\(.id)", "P3S_PILOT_UUID=\(.pilot.id)"' \
		"$T/view" >"$T/want"
	{
		echo "PATH=${pilot_program%/*}:/usr/bin:/bin"
		echo "SORTIE_URL=$SORTIE_URL"
		jq -r "map(select(.payload | startswith(\"/\")))[$i].env // {} |
			to_entries[] | \"\(.key)=\(.value)\"" "$file"
	} >>"$T/want"
	output "$n" >"$T/got"
	# Secret, in the spool, or the site's: there, whatever their value.
	grep -avE '^(SORTIE_TOKEN|SORTIE_JOB_FILE|P3S_SITE)=' "$T/got" |
		sort >"$T/got.sorted"
	sort "$T/want" >"$T/want.sorted"
	if ! cmp -s "$T/got.sorted" "$T/want.sorted"; then
		wrong="$wrong $n"
		diag "$file: $(diff "$T/want.sorted" "$T/got.sorted")"
	fi
	grep -aq '^SORTIE_TOKEN=sr_' "$T/got" || wrong="$wrong $n:token"
	grep -aq '^SORTIE_JOB_FILE=/' "$T/got" || wrong="$wrong $n:file"
done <"$T/numbers"
is "$wrong" "" "each sees its environment and the injected variables only"
stop_all
for dir in $(cat "$T/mounts"); do
	umount "$dir"
done
rm "$T/mounts"
for dir in $(cat "$T/made" 2>/dev/null); do
	rmdir "$dir"
done
quiet_end=yes
finish
