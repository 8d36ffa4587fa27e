# From "result WHO NAME WHERE NS" lines: a table, and the JSON list. A ratio above 1 is in our favour.
$1 == "result" && NF == 5 && $5 ~ /^[0-9]+$/ {
	sub(/\r$/, "", $5)
	ns[$2, $3, $4] = $5
	seen[$2, $3] = seen[$2, $3] " " $4
}
$1 == "exits" {
	exits[$3, $4] = $5
}
# The fastest of ours whose place ends in @suffix: what an upgraded guest chooses.
function best(name, suffix,    n, i, places, found) {
	found = ""
	n = split(seen["ours", name], places, " ")
	for (i = 1; i <= n; i++) {
		if (places[i] ~ /^(lapic|pit|hpet|ide)/ || (suffix != "" && places[i] !~ suffix "$"))
			continue
		if (found == "" || ns["ours", name, places[i]] + 0 < ns["ours", name, found] + 0)
			found = places[i]
	}
	return found
}
function row(name, where, ours, peer, who, unit) {
	if (ours == "" || peer == "" || ours + 0 == 0)
		return
	printf "%-16s %-28s %10d %10d  %-14s %6.2f %s\n", name, where, ours, peer, who, peer / ours, unit
	printf "%s\n {\"name\": \"%s\", \"where\": \"%s\", \"ours\": %d, \"peer\": %d, \"peer_name\": \"%s\", \"ratio\": %.2f, \"unit\": \"%s\"}", comma, name, where, ours, peer, who, peer / ours, unit >json
	comma = ","
}
function compare(name, suffix, emulated,    place) {
	place = best(name, suffix)
	if (place == "")
		return
	row(name, place " / " emulated, ns["ours", name, place], ns["ours", name, emulated], "emulated", "ns")
	row(name, place " / " emulated, exits[name, place], exits[name, emulated], "emulated", "exits")
	if (suffix == ",self" || told[name]++)
		return
	row(name, place, ns["ours", name, place], ns["linux-pvhvm", name, "linux-pvhvm"], "linux-pvhvm", "ns")
	row(name, place, ns["ours", name, place], ns["linux-pvh", name, "linux-pvh"], "linux-pvh", "ns")
	row(name, place, ns["ours", name, place], ns["linux-nopv", name, "linux-nopv"], "linux-nopv", "ns")
}
END {
	printf "%-16s %-28s %10s %10s  %-14s %6s %s\n", "name", "where", "ours", "peer", "peer", "ratio", "unit"
	printf "[" >json
	compare("timer-interrupt", "", "lapic")
	compare("timer-interrupt", "", "pit,ioapic")
	compare("timer-interrupt", "", "pit,pic")
	compare("ipi", ",self", "lapic,self")
	compare("ipi", ",other", "lapic,other")
	compare("event", "", "ide")
	compare("clock-read", "", "hpet")
	compare("disk-request", "", "ide")
	printf "\n]\n" >json
}
