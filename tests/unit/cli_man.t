#!/bin/sh
# The manual of sortie says what its table of commands says.
set -u
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
sortie=${abs_top_builddir:-$top}/clients/sortie
set -- sortie.1 sortie-job.1 sortie-workflow.1 sortie-pilots.1 sortie-admin.1 sortie-inject.1
n=0
cd "$top/man" || exit 99

claim()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
	fi
}

for page; do
	"$top/clients/manual" "$sortie" "$page" | diff -u "$page" - >&2
	claim $? "$page has the options of the table"
done

# Every command is in one of the pages, and bash is told all of its options.
missing=0 forgotten=0
for command in $("$sortie" __complete -- "" | sed '/^__/d'); do
	verbs=
	[ "$command" = help ] ||
		verbs=$("$sortie" __complete -- "$command" "")
	for verb in ${verbs:--}; do
		name=$command${verbs:+ $verb}
		cat "$@" | grep -qx "\.Ss sortie $name" || {
			echo "no section on sortie $name" >&2
			missing=1
		}
		# shellcheck disable=SC2086 # the command's words
		told=$("$sortie" __complete -- $name -- | sort)
		# shellcheck disable=SC2086
		known=$("$sortie" $name --help |
			sed -n 's/^ \{2,6\}\(-.,\)\{0,1\} *\(--[a-z0-9-]*\).*/\2/p' | sort)
		if [ -z "$known" ] || [ "$told" != "$known" ]; then
			echo "bash is told other options of sortie $name" >&2
			forgotten=1
		fi
	done
done
claim $missing "every command has a section"
claim $forgotten "bash is told every option"

# Words are those of the command's own option, by both of its names.
[ "$("$sortie" __complete -- workflow create -s h)" = held ] &&
	[ "$("$sortie" __complete -- pilot list --state i)" = idle ] &&
	[ "$("$sortie" __complete -- dag get -f g)" = graphml ]
claim $? "bash is told the words of options"

if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning "$@" >&2
	claim $? "the pages are sound mdoc"
else
	n=$((n + 1))
	echo "ok $n - the pages are sound mdoc # SKIP no mandoc here"
fi
echo "1..$n"
