#!/usr/bin/env bash
# Installs what the tests use besides Go, where it is missing: a C compiler for
# the race detector, Node.js and Python to run functions, boto3, the AWS CLI, a
# browser, Prometheus, and the npm packages of conformance/. It says nothing when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

# The Debian packages of what is not here.
missing_packages() {
	has cc || echo gcc libc6-dev
	has node || echo nodejs
	has npm || echo npm
	has python3 || echo python3
	has_boto3 || echo python3-boto3
	has aws || echo awscli
	has prometheus || echo prometheus
	has chromium || has chromium-browser || has google-chrome || echo chromium
}

has() { command -v "$1" >/dev/null; }

# Any Python will do: the tests look for one that has it.
has_boto3() {
	local python
	for python in python3 /usr/bin/python3; do
		if "$python" -c 'import boto3' 2>/dev/null; then
			return
		fi
	done
	return 1
}

install_packages() {
	local sudo=()
	if [ "$(id -u)" != 0 ]; then
		sudo=(sudo -n)
	fi
	echo "== installing for the tests: $*"
	"${sudo[@]}" apt-get update -qq </dev/null &&
		"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

# npm_ci FOLDER installs what the folder's lock file says, unless it is there.
npm_ci() {
	local lock=$1/package-lock.json installed=$1/node_modules/.package-lock.json
	if [ -e "$lock" ] && [ ! "$installed" -nt "$lock" ]; then
		echo "== installing npm packages for $1"
		npm ci --prefix "$1" --no-audit --no-fund --loglevel=error </dev/null
		touch "$installed"
	fi
}

read -r -d '' -a packages < <(missing_packages; printf '\0')
if [ ${#packages[@]} -gt 0 ]; then
	if ! has apt-get || ! install_packages "${packages[@]}"; then
		echo "The tests need what Debian calls: ${packages[*]}." >&2
		echo "Please install it. (Without: \"go test ./...\" skips what it can't run, and says so.)" >&2
		exit 1
	fi
fi
npm_ci conformance
