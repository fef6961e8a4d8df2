#!/bin/sh
# Datasets, their types, and what people note: registered once, changed by
# their owner, listed by what one asks for.
. "${0%/*}/lib.sh"

start_server
admin=$token
call POST /api/v1/tokens '{"name":"t","role":"user","owner":"bob"}'
bob=$(of .token)
v=/api/v1

# refuse CLAIM STATUS GLOB METHOD PATH [BODY]: GLOB is of the message.
refuse()
{
	call "$4" "$5" "${6-}"
	if [ "$status" = "$2" ]; then
		like "$(of .error.message)" "$3" "$1"
	else
		fail "$1" "status $status: $answer"
	fi
}

# Datatypes
call PUT $v/datatypes/TXT '{"ext":".txt","comment":"words"}'
is "$status $(of .owner)" "201 $(id -un)" "a datatype is defined"
call PUT $v/datatypes/TXT '{"ext":".text"}'
is "$status $(of .ext)" "200 .text" "and defined again"
call GET $v/datatypes
is "$(of '[.items[] | .name + .ext] | join(" ")')" "TXT.text" "and listed"
refuse "an extension begins with a dot" 400 '*ext*' PUT $v/datatypes/X '{"ext":"txt"}'
refuse "and has no blank" 400 '*ext*' PUT $v/datatypes/X '{"ext":".a b"}'
refuse "an extension stays in its directory" 400 '*ext*' PUT $v/datatypes/X '{"ext":"/../x"}'
refuse "a key that is none" 400 '*extension*' PUT $v/datatypes/X '{"extension":"x"}'
token=$bob
refuse "others do not change it" 403 '*somebody else*' PUT $v/datatypes/TXT '{}'
refuse "nor delete it" 403 '*somebody else*' DELETE $v/datatypes/TXT
token=$admin

# Registering
call POST $v/datasets '{"name":"a.txt","directory":"/data","datatype":"TXT","size":12,"tag":"IN"}'
is "$status $(of '[.number, .version, .created, .state] | join(" ")')" "201 1 1 true ready" \
	"a dataset is registered"
id=$(of .id)
call POST $v/datasets '{"path":"/data/a.txt"}'
is "$status $(of '[.number, .created] | join(" ")')" "200 1 false" \
	"what is there already is not made again"
is "$(of .id)" "$id" "and keeps its id"
call POST $v/datasets '{"path":"//data/./a.txt"}'
is "$(of .id) $(get "$v/datasets/%2fdata%2f%2fa.txt" | jq -r .id)" "$id $id" "however its path is spelled"
call POST "$v/datasets?version=new" '{"path":"/data/a.txt"}'
is "$status $(of '[.number, .version] | join(" ")')" "201 2 2" "but for a new version"
call POST $v/datasets '[{"path":"/data/b"},{"uri":"root://host//c"},{"path":"/data/b","site":"far"},{"path":"/data/b"}]'
is "$status $(of '[.items[] | "\(.number)\(.created)"] | join(" ")')" \
	"201 3true 4true 5true 3false" "a list is registered, each place once"
printf '{"path":"/n/1"}\n\n{"path":"/n/2","state":"declared"}\n' >"$T/lines"
call POST $v/datasets '' --data-binary "@$T/lines" -H 'Content-Type: application/x-ndjson'
is "$status $(of '[.items[].state] | join(" ")')" "201 ready declared" "and lines"
call POST $v/datasets '{"path":"/n/2","size":7}'
is "$status $(of '[.state, .created] | join(" ")')" "200 ready false" \
	"what was declared is ready when it comes"
before=$(get $v/datasets | jq '.items | length')
refuse "no place" 400 '*where it lies*' POST $v/datasets '{"name":"x"}'
refuse "two places" 400 '*where it lies*' POST $v/datasets '{"path":"/x","uri":"a://b"}'
refuse "a path that no index holds" 400 '*3001 bytes*2000*' POST $v/datasets \
	"{\"path\":\"/$(printf %03000d 0)\"}"
refuse "a relative path" 400 '*begin with*' POST $v/datasets '{"path":"x/y"}'
refuse "a place that is no URI" 400 '*scheme*' POST $v/datasets '{"uri":"here"}'
refuse "an unknown datatype" 400 '*"PNG"*' POST $v/datasets '{"path":"/x","datatype":"PNG"}'
refuse "a state that is none" 400 '*state*' POST $v/datasets '{"path":"/x","state":"gone"}'
refuse "the second of two" 400 'dataset 2: *' POST $v/datasets '[{"path":"/x"},{"path":"y"}]'
refuse "an unknown key" 400 '*dataset 1*pat*' POST $v/datasets '[{"pat":"/x"}]'
refuse "an empty list" 400 '*no dataset*' POST $v/datasets '[]'
refuse "another version than a new one" 400 '*version*' POST "$v/datasets?version=3" '{"path":"/x"}'
token=$bob
refuse "a path of somebody else" 403 '*/data/a.txt*' POST $v/datasets '{"path":"/data/a.txt"}'
refuse "a dataset of somebody else" 404 '*dataset 1*' GET $v/datasets/1
token=$admin
is "$(get $v/datasets | jq '.items | length')" "$before" "what is refused is not stored"

# Looking, changing, forgetting
call GET "$v/datasets/%2Fdata%2Fa.txt"
is "$status $(of '[.number, .path, .name, .owner] | join(" ")')" \
	"200 2 /data/a.txt a.txt $(id -un)" "a path names the newest version"
call GET $v/datasets/"$id"
is "$(of '[.number, .size, .tag, .datatype] | join(" ")')" "1 12 IN TXT" "a UUID names its own"
call GET "$v/datasets/%2Fdata%2Fb?site=far"
is "$(of .number)" 5 "a path may lie at a site"
sum=$(printf %064d 0 | tr 0 b)
call PATCH $v/datasets/1 "{\"comment\":\"old\",\"checksum\":\"$(printf %s $sum | tr b B)\"}"
is "$status $(of '[.comment, .checksum, .size] | join(" ")')" "200 old $sum 12" "it changes"
refuse "a checksum that is none" 400 '*"checksum"*64*"zz"*' PATCH $v/datasets/1 '{"checksum":"zz"}'
refuse "also of a new one" 400 'dataset 2: *"checksum"*' POST $v/datasets \
	"[{\"path\":\"/s/1\",\"checksum\":\"$sum\"},{\"path\":\"/s/2\",\"checksum\":\"${sum}b\"}]"
refuse "no change" 400 '*nothing*' PATCH $v/datasets/1 '{}'
refuse "no state by hand" 400 '*state*' PATCH $v/datasets/1 '{"state":"deleted"}'
refuse "no unknown type" 400 '*"PNG"*' PATCH $v/datasets/1 '{"datatype":"PNG"}'
call DELETE $v/datasets/1
is "$status" 204 "it is forgotten"
is "$(get $v/datasets/1 | jq -r .state)" deleted "but remembered as such"
refuse "what is deleted does not change" 409 '*deleted*' PATCH $v/datasets/1 '{"comment":"x"}'
refuse "what is not there" 404 '*dataset 99*' DELETE $v/datasets/99

# Lists
# lists QUERY WANT CLAIM
lists()
{
	call GET "$v/datasets?$1"
	is "$(of '[.items[].number] | join(" ")')" "$2" "$3"
}
lists "state=deleted" 1 "lists by state"
lists "state=ready,declared&name=A.T" 2 "by part of the name"
lists "path=/data/&site=" "3 2 1" "by the path's beginning and the site"
lists "datatype=TXT&tag=IN" 1 "by datatype and tag"
lists "owner=nobody" "" "by owner"
lists "workflow=1" "" "by workflow"
call GET "$v/datasets?page_size=2"
is "$(of '[.items[].number] | join(" ")')" "7 6" "by pages"
call GET "$v/datasets?page_size=2&cursor=$(of .next)"
is "$(of '[.items[].number] | join(" ")')" "5 4" "one after another"
refuse "no state" 400 '*ready*' GET "$v/datasets?state=done"

# Notes
call POST $v/events '{"name":"beam","text":"is back"}'
is "$status $(of '[.kind, .text, .detail.name] | join(" ")')" "201 note is back beam" "a note is made"
noted()
{
	get "$v/events?kind=note" | jq -e '.items | length == 1 and .[0].text == "is back"'
}
within 5 "and read" noted
is "$(get "$v/events?kind=note&after=0" | jq -r '.items | length')" 1 "from the beginning too"
refuse "a note without a name" 400 '*name*' POST $v/events '{"text":"x"}'
# From the command, where the file is found from here.
told=registered n=$(($(get "$v/datasets?page_size=1" | jq ".items[0].number") + 1))
mkdir -p "$T/here/sub"
ln -s here "$T/link"
at=$(cd "$T/here" && pwd -P)
for name in x sub/../x ../here/x ./x "$T/link/../here/x" "$T/link/sub/../x"; do
	is "$(cd "$T/link" && sortie dataset register "$name")" "dataset $n $told: $at/x" \
		"$name is found from here"
	told="is registered already"
done
is "$(cd "$T/here" && sortie dataset show ../here/x -q)" $n "and shown"
exits 1 "one that cannot be found" sortie dataset register "$T/none/../x"
like "$said" '*without ".."*' "is refused"
is "$(sortie dataset register "$T/link/y" -q) $(get $v/datasets/$((n + 1)) | jq -r .path)" "$((n + 1)) $T/link/y" \
	"a path from the root stays"
finish
