# The table of the cases: rows in the order they first came, a column for each guest.
$2 == "case" {
	guest = $1
	name = $3
	verdict = $4
	since[name] = $0
	sub(/.*since Xen /, "", since[name])
	words = since[name]
	sub(/:.*/, "", since[name])
	if (!(name in row)) {
		row[name] = ++rows
		names[rows] = name
	}
	if (!(guest in column)) {
		column[guest] = ++columns
		guests[columns] = guest
	}
	cell[name, guest] = verdict
	count[verdict]++
	if (words !~ /:/)
		next
	sub(/^[^:]*: /, "", words)
	if (verdict == "SKIP")
		reason[words] = reason[words] " " guest ":" name
	if (verdict == "FAIL")
		failures = failures "\n  " guest " " name ": " words
}
$1 == "run" {
	seconds = seconds sprintf("  %-18s %4d s  %s\n", $2, $3, $4)
}
END {
	printf "%-36s %5s", "case", "since"
	for (c = 1; c <= columns; c++)
		printf "  %s", guests[c]
	printf "\n"
	for (r = 1; r <= rows; r++) {
		printf "%-36s %5s", names[r], since[names[r]]
		for (c = 1; c <= columns; c++) {
			mark = cell[names[r], guests[c]]
			printf "  %-*s", length(guests[c]), mark == "" ? "-" : mark
		}
		printf "\n"
	}
	printf "\nseconds of each guest, with its creation:\n%s", seconds
	printf "\nskipped because:\n"
	for (words in reason) {
		n = split(reason[words], cases, " ")
		printf "  %s (%d cases, the first %s)\n", words, n, cases[1]
	}
	if (failures != "")
		printf "\nfailed:%s\n", failures
	printf "\n%d ok, %d skipped, %d failed\n", count["ok"], count["SKIP"], count["FAIL"]
}
