# make test needs only Go: it installs what else the tests use.

VERSION   := $(shell git describe --tags --always --dirty 2>/dev/null || echo development)
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
# Every module of the repository but the tools.
MODULES   := $(shell find . -name go.mod -not -path './tools/*' -not -path '*/node_modules/*' -not -path '*/testdata/*' | xargs -n 1 dirname | sort)
LINTER    := go tool -modfile=$(CURDIR)/tools/lint/go.mod golangci-lint

.PHONY: all test lint build bench bench-quick microbench chaos fuzz generate clean

all: lint test build

# All tests, with the race detector.
test:
	@scripts/setup-tests.sh
	@failed=0; for module in $(MODULES); do \
		echo "== go test -race $$module"; \
		(cd $$module && go test -race -timeout 30m ./...) || failed=1; \
	done; exit $$failed

# The linter's version is pinned in tools/lint/go.mod. Its first run compiles it.
lint:
	@failed=0; for module in $(MODULES); do \
		echo "== golangci-lint $$module"; \
		(cd $$module && $(LINTER) run ./...) || failed=1; \
	done; exit $$failed

# One static binary for each platform, in dist/.
build:
	@set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*}; arch=$${platform#*/}; \
		binary=dist/stagedoor-$$os-$$arch; \
		if [ $$os = windows ]; then binary=$$binary.exe; fi; \
		echo "== $$binary"; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $$binary ./cmd/stagedoor; \
	done

# Measures the gateway beside a bare relay and its peers, which it installs into the
# user's cache: under 25 minutes on two cores. "make bench UPDATE=docs/performance.md"
# puts the figures and plots there.
UPDATE ?=
bench:
	UPDATE=$(UPDATE) scripts/bench.sh

# Messages and idle memory in a minute, without peers: it fails where a message does,
# and not for how fast it was. The figures say little.
bench-quick:
	cd bench && go run . -peers none -rounds 1 -warmup 200ms -duration 500ms -idle 500 -settle 2s

# The benchmarks of the parts, in their packages.
microbench:
	go test -run '^$$' -bench . -benchmem ./...

# Breaks a gateway and what it stands on while clients use it, and checks the
# history that they see. CHAOS_TIME=60s is the form of continuous integration;
# CHAOS_SEED repeats what a run broke.
CHAOS_TIME ?= 15m
CHAOS_SEED ?= 0
chaos:
	cd bench && go run ./chaos -time $(CHAOS_TIME) -seed $(CHAOS_SEED)

# Every fuzz target for some seconds, and the inputs that it tries in a second.
fuzz:
	scripts/fuzz-rates.sh

# Writes again all that is generated: the wire types of the control plane, from the
# service models that AWS publishes, and the golden files of tests, from what the code
# does now: read their diff. The models come from botocore's repository at the version
# that tools/apigen pins, or from AWS_MODELS, a folder like the data folder of an
# installed botocore.
AWS_MODELS ?=
generate:
	go run ./tools/apigen $(if $(AWS_MODELS),-models $(AWS_MODELS)) -out internal/apigw
	go test $(addprefix ./,$(shell grep -rl '"update", false,' --include=*_test.go internal cmd | xargs -n 1 dirname | sort -u)) -count 1 -update

clean:
	rm -rf dist
