#!/bin/sh
# --check-config tells what is wrong and where, before anything is started.
. "${0%/*}/lib.sh"

# refused CLAIM GLOB: of the config file that is there.
refused()
{
	sortied --config "$T/conf" --check-config >"$T/said" 2>&1
	got=$?
	if [ $got = 0 ]; then
		fail "$1" "it was accepted" "$(cat "$T/conf")"
	else
		like "$(cat "$T/said")" "$2" "$1"
	fi
}

printf 'embedded = "%s/state";\nlease = "20 s";\nheartbeat = 5;\n' "$T" \
	>"$T/conf"
ok "a good file is accepted" sortied --config "$T/conf" --check-config
nok "which makes nothing" test -e "$T/state"

printf 'embedded = "%s/state";\n\nleese = 20;\n' "$T" >"$T/conf"
refused "an unknown key" "*conf*3*leese*"
printf 'embedded = "%s/state";\nmax_connections = "many";\n' "$T" >"$T/conf"
refused "a wrong type" "*conf*2*max*connections*"
printf 'embedded = "%s/state";\nlease = 1;\n' "$T" >"$T/conf"
refused "a number out of range" "*lease*"
printf 'embedded = "%s/state";\nlease = \n' "$T" >"$T/conf"
refused "what is no config file" "*conf*"
printf 'lease = 20;\n' >"$T/conf"
refused "a file that names no database" "*database*"
printf 'embedded = "%s/state";\nlisten = ["192.0.2.1:7900"];\n' "$T" >"$T/conf"
refused "plain HTTP for the whole world" "*192.0.2.1*"
rm "$T/conf"
refused "a file that is not there" "*conf*"

exits 0 "--version" sortied --version
like "$said" "*[0-9].[0-9]*" "it tells a version"
exits 0 "--help" sortied --help
like "$said" "*--embedded*" "it tells the options"
nok "an unknown option is refused" sortied --no-such-option
finish
