# Compose CDK: all tasks. `make synth` and `make test` set up what they need;
# a machine has Go, Node.js with npm, Python 3, make and git.

SHELL := /bin/bash
export PATH := $(CURDIR)/node_modules/.bin:$(CURDIR)/bin:$(PATH)
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export npm_config_update_notifier := false

GOLANGCI_LINT := v2.15.0
GOVULNCHECK := v1.8.0
GREMLINS := v0.6.0
GO_FILES := $(shell find . -name '*.go' -not -path './node_modules/*' -not -path './examples/blog/app*')
ALIVE := ./.ci/alive

# The packages that need no CDK, whose tests take seconds, and those that mutation measures.
MEASURED := compose compose/diag compose/kinds compose/load gate secretscan cmd/composer constructs/guard constructs/kernel
PURE := $(MEASURED) imageupdate templatediff schema pipelines/buildspec pipelines/config pipelines/diagram pipelines/plan pipelines/policy

.PHONY: help setup build synth venv test test-fast kind e2e corpus fuzz mutation bench scale lint golden good wildcardonly diagram clean

help: ## list the tasks
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: node_modules/.installed ## install the CDK CLI and Node.js that package.json pins

node_modules/.installed: package.json package-lock.json
	@$(ALIVE) "npm ci" npm ci --no-audit --no-fund --loglevel=error
	@touch $@

build: bin/composecdk bin/composer ## build the programs

bin/composecdk: go.mod go.sum cdk.json $(GO_FILES)
	@$(ALIVE) "Go modules" go mod download
	@$(ALIVE) "go build" go build -o $@ .

bin/composer: go.mod go.sum $(GO_FILES)
	@$(ALIVE) "go build (composer)" go build -o $@ ./cmd/composer

synth: setup build ## synthesise the example, or what -c compose=… in ARGS names
	@$(ALIVE) "cdk synth" cdk synth --quiet --app bin/composecdk $(ARGS)
	@cat cdk.out/summary.txt

diagram: build ## draw what the pipeline.yaml of the example becomes
	bin/composer diagram --pipeline examples/blog/pipeline.yaml --out docs/images/blog-pipeline.svg

venv: .venv/.installed ## install the Python tools of the tests

.venv/.installed: test/e2e/requirements.txt
	@$(ALIVE) "python venv" python3 -m venv .venv
	@$(ALIVE) "pip install" .venv/bin/pip install --quiet --disable-pip-version-check -r test/e2e/requirements.txt
	@touch $@

test: setup build venv ## every test
	@$(ALIVE) "go vet" go vet ./...
	@$(ALIVE) "tests of compose, with the race detector" go test -race ./compose/...
	@$(ALIVE) "all other tests" go test -count=1 -timeout 30m $$(go list ./... | grep -vx composecdk/compose)

test-fast: ## the tests of what needs no CDK, in seconds
	go test $(PURE:%=./%)

# The tests of applications that run case by case, each of which is of a kind.
OF_A_KIND := Golden|Invariants|MissingIsFound|Gate|EveryKindIsComplete|DocumentedKinds|FilesOfAKind|LeastPrivilege|Nag|Validation|CfnLint|NeighboursKeepTheirData|Neighbours|Order|EmulatorHasEveryType|Corpus|NothingIsDropped

kind: setup venv ## all tests about one kind of x-resource, in seconds: KIND=x-s3
	@test -n "$(KIND)" || { echo "which kind? make kind KIND=x-sqs"; exit 2; }
	KIND=$(KIND) go test -count=1 -run '^Test($(OF_A_KIND))$$' ./test/applications

e2e: setup build venv ## deploy the example and the golden cases to an emulator of AWS
	@set -o pipefail; go test -count=1 -v -tags e2e -timeout 40m ./test/e2e | grep --line-buffered -vE '^ *(=== |--- PASS|PASS$$)'

corpus: setup ## what becomes of every compose file of ../shared/corpus, as a table
	@set -o pipefail; go test -count=1 -v -run '^TestCorpus' ./test/applications | grep --line-buffered -vE '^ *(=== |--- PASS|PASS$$)'

fuzz: ## every fuzz target for 20 seconds
	@./.ci/fuzz 20s

mutation: bin/gremlins ## how many changes of the code the tests notice; fails below 85 %
	@go run .ci/mutation/main.go -gremlins $(CURDIR)/bin/gremlins $(MEASURED)

bin/gremlins:
	@$(ALIVE) "install gremlins" env GOBIN=$(CURDIR)/bin go install github.com/go-gremlins/gremlins/cmd/gremlins@$(GREMLINS)

bench: setup build bench/typescript/node_modules/.installed ## what a synthesis costs, beside a TypeScript program; SIZES="1 50"
	@go run ./bench $(SIZES)

scale: setup build ## synthesise the pipelines of 200 applications in 30 accounts; fails above a minute
	@go run ./bench/scale

bench/typescript/node_modules/.installed: bench/typescript/package-lock.json
	@$(ALIVE) "npm ci (bench)" npm ci --prefix bench/typescript --no-audit --no-fund --loglevel=error
	@touch $@

lint: bin/golangci-lint bin/govulncheck ## the linters, and how comments are written
	@$(ALIVE) "golangci-lint" golangci-lint run ./...
	@$(ALIVE) "comments" sh -c 'go test ./.ci/comments && go run .ci/comments/main.go ./...'
	@$(ALIVE) "govulncheck" ./.ci/govulncheck
	@$(ALIVE) "comments" go run .ci/comments/main.go

bin/golangci-lint:
	@$(ALIVE) "install golangci-lint" env GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)

bin/govulncheck:
	@$(ALIVE) "install govulncheck" env GOBIN=$(CURDIR)/bin go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK)

golden: setup build venv ## rewrite the golden files; review the diff as code
	@$(ALIVE) "golden files of compose" go test ./compose -update
	@$(ALIVE) "golden files of test" go test -timeout 30m ./test/applications ./test/pipelines -update
	@$(ALIVE) "golden files and pages" go test ./test/programs -update

good: setup build ## rewrite the good assembly that the tests of gate inject faults into
	./gate/testdata/good.sh

wildcardonly: setup ## rewrite gate/wildcardonly.txt from the IAM data that package.json pins
	node gate/wildcardonly.mjs

clean: ## remove all that the tasks made
	rm -rf bin cdk.out node_modules bench/typescript/node_modules .venv
