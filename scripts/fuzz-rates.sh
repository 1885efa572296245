#!/usr/bin/env bash
# Runs every fuzz target of the gateway for some seconds each and prints how many
# inputs it tries in a second. One under 1,000 searches next to nothing: it is
# named at the end, and the exit code is 1, unless the table below has its reason.
#
#   scripts/fuzz-rates.sh [SECONDS [PATTERN]]    10 seconds, all targets
#
# By itself Go spends up to a minute on making each input that it finds interesting
# smaller, and reports no new ones meanwhile; here it has 20 tries for that.
set -uo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-10}
pattern=${2:-.}
least=1000

# reason gives why a target may be slower.
reason() {
	case $1 in
	esac
}

# rate reads what a run prints and gives its inputs per second, after those that
# it begins with.
rate() {
	awk '/now fuzzing with/ { gsub(/[^0-9]/, "", $3); began = $3 }
		/, execs: / { time = $3; gsub(/[^0-9]/, "", time); count = $5; if (first == "") { first = count } }
		END { if (time > began) printf "%d", count / (time - began); else print "none" }'
}

slow=()
while IFS=: read -r file _ text; do
	target=${text#func }
	target=${target%%(*}
	package=$(dirname "$file")
	name=$package:$target
	[[ $name =~ $pattern ]] || continue
	log=$(go test -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" -fuzzminimizetime 20x "./$package" 2>&1)
	failed=$?
	per_second=$(rate <<<"$log")
	printf '%-45s %10s/s  %s\n' "$name" "$per_second" "$(reason "$name")"
	if ((failed)); then
		printf '%s\n' "$log"
		slow+=("$name fails")
	elif [[ $per_second == none ]] || { ((per_second < least)) && [[ -z $(reason "$name") ]]; }; then
		slow+=("$name")
	fi
done < <(grep -rn '^func Fuzz' --include='*_test.go' cmd internal ./*_test.go)

if ((${#slow[@]})); then
	printf '\nunder %s inputs a second, without a reason in this script:\n' "$least"
	printf '  %s\n' "${slow[@]}"
	exit 1
fi
