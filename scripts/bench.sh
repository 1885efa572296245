#!/usr/bin/env bash
# Measures everything, in turn: what "make bench" does. All parts run, so that one run
# shows what fails. UPDATE=docs/performance.md puts the figures there, and the plots
# beside it. GATEWAY is a program to measure in place of one built from this tree. Both
# are paths in the folder of this repository.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

programs=$(mktemp -d)
trap 'rm -rf "$programs"' EXIT
trap 'exit 130' INT TERM
if [ -n "${GATEWAY:-}" ]; then
	gateway=$(realpath "$GATEWAY") || exit
else
	gateway=$programs/stagedoor
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$gateway" ./cmd/stagedoor || exit
fi
update=()
figures=$programs
if [ -n "${UPDATE:-}" ]; then
	document=$(realpath "$UPDATE") || exit
	update=(-update "$document")
	figures=$(dirname "$document")/performance
	mkdir -p "$figures"
fi
cd bench || exit

failed=()

measure() {
	local start=$SECONDS
	printf '\n==== %s\n' "$*"
	go run "$@" -gateway "$gateway" || failed+=("go run $*")
	echo "==== $((SECONDS - start)) s"
}

measure . -rounds 4 "${update[@]}"
measure . memory -tls -idle 3000 -settle 5s
measure . memory -tls -records compact -idle 3000 -settle 5s
measure ./functions -rounds 2 -warmup 300ms -duration 800ms "${update[@]}"
measure ./push -rounds 3 "${update[@]}"
measure ./handshake -rounds 3 "${update[@]}"
measure ./watched -rounds 5 "${update[@]}"
measure ./start "${update[@]}"
measure ./growth -figure "$figures/growth.svg" "${update[@]}"
measure ./overload -figure "$figures/overload.svg" "${update[@]}"
measure ./million -keep 20s # the page has a million

echo
if [ ${#failed[@]} -gt 0 ]; then
	printf 'FAILED: %s\n' "${failed[@]}"
	exit 1
fi
echo "Measured in $((SECONDS / 60)) minutes."
