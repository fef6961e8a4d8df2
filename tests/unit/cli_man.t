#!/bin/sh
# The manual of sortie says what its table of commands says.
set -u
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
sortie=${abs_top_builddir:-$top}/clients/sortie
pages="sortie sortie-job sortie-pilots sortie-admin"
n=0

claim()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
	fi
}

for page in $pages; do
	"$top/clients/manual" "$sortie" "$top/man/$page.1" |
		diff -u "$top/man/$page.1" - >&2
	claim $? "$page(1) has the options of the table"
done

# Every command is in one of the pages.
missing=0
for command in $("$sortie" __complete -- "" | sed '/^__/d'); do
	verbs=
	[ "$command" = help ] ||
		verbs=$("$sortie" __complete -- "$command" "")
	for verb in ${verbs:--}; do
		name=$command${verbs:+ $verb}
		(cd "$top/man" && cat $(printf '%s.1 ' $pages)) |
			grep -qx "\.Ss sortie $name" || {
			echo "no section on sortie $name" >&2
			missing=1
		}
	done
done
claim $missing "every command has a section"

if command -v mandoc >/dev/null; then
	(cd "$top/man" &&
		mandoc -T lint -W warning $(printf '%s.1 ' $pages)) >&2
	claim $? "the pages are sound mdoc"
else
	n=$((n + 1))
	echo "ok $n - the pages are sound mdoc # SKIP no mandoc here"
fi
echo "1..$n"
