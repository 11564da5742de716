# Prints settings.json with what servers.json says of one server in place of what it says of all; ends with 3 where
# servers.json has no such server.
#
#   awk -f servers.awk host=NAME servers.json settings.json
#
# Both are as the export wrote them: a server, a place and a setting are one line each. A server is found by its name up
# to the first dot, in any letter case. Values stay the JSON text that they are; nothing of them is run.
FNR == 1 { file++ }
file == 1 && FNR == 1 {
	sub(/[.].*/, "", host)
	server = "    \"" tolower(host) "\": {\"place\": \""
}
file == 1 && /^    "[0-9]+": [{]"location": "/ {
	split($0, part, "\"")
	places[part[2]] = substr($0, index($0, "{") + 1)
}
file == 1 && index($0, server) == 1 {
	found = 1
	row = substr($0, length(server) + 1)
	split(row, part, "\"")
	take(places[part[1]])
	if (match(row, /", "tags": "/)) {
		tags = substr(row, RSTART + RLENGTH)
		sub(/"[}],?$/, "", tags)
		own["tags"] = tags
	}
}
file == 1 { next }
!found { exit 3 }
/^  "(proxy|window)": "/ {
	split($0, part, "\"")
	if (part[2] in own) {
		print "  \"" part[2] "\": \"" own[part[2]] "\"" (/,$/ ? "," : "")
		next
	}
}
/^  "connect": [{]$/ {
	print
	for (key in own) if (key != "proxy" && key != "window") print "    \"" key "\": \"" own[key] "\","
	inside = 1
	next
}
/^  [}]/ { inside = 0 }
inside {
	split($0, part, "\"")
	if (part[2] in own) next
}
{ print }

# A place is pairs of texts without a quote in them: "location": "eastasia", "resource-group": "rg-arc"}
function take(place,   count, pairs, i, pair) {
	sub(/"[}],?$/, "", place)
	count = split(place, pairs, /", "/)
	for (i = 1; i <= count; i++) {
		sub(/^"/, "", pairs[i])
		split(pairs[i], pair, /": "/)
		own[pair[1]] = pair[2]
	}
}
