# Latchkey. "make" lists what there is to do.

FUZZTIME ?= 60s
ARGS     ?= serve
BENCHARGS ?=

TOOLS   := .tools
TEMPL   := $(TOOLS)/templ
ESBUILD := $(TOOLS)/esbuild
LINTER  := $(TOOLS)/golangci-lint
VULN    := $(TOOLS)/govulncheck
SBOM    := $(TOOLS)/cyclonedx-gomod

# What "make generate" writes; all of it is committed.
GENERATED = find views -name '*_templ.go' -type f; find static/dist -type f

# The linter does not see templates: it leaves out what is generated from them.
UNESCAPED = templ\.(Raw|Safe[A-Z]|JSUnsafe)|template\.(HTML|JS|CSS|URL)

# Conditions that GORM shortens or runs as SQL, and updates that skip zero values.
GORM_TRAPS = \.(Where|Not|Or)\(&|\.(First|Take|Last|Find|Delete)\([^()]*,|\.(Updates|Save|Assign|Attrs)\(

# A server for measurements, unlike one for tests, does not answer before the disk does.
DURABLE = -c fsync=on -c synchronous_commit=on -c full_page_writes=on

# What asks the database.
ON_POSTGRES = ./store ./handlers ./oauth ./usage ./api

.DEFAULT_GOAL := help
.PHONY: faults test-go test-cluster test-postgres help run build release image generate graphiql check-generated lint fmt test cover fuzz bench bench-postgres bench-large bench-go vuln install-test-tools clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' Makefile

run: generate ## run the server from source (ARGS="serve --help" for other commands)
	go run ./cmd/web $(ARGS)

build: ## build ./latchkey, one static binary (GOARCH=arm64 for that processor)
	scripts/build.sh latchkey

release: $(SBOM) ## build both processors into dist, with a list of modules and checksums
	scripts/release.sh

image: ## build container images from dist, with TOOL=buildah, podman or docker (after make release)
	scripts/image.sh

generate: $(TEMPL) $(ESBUILD) ## write views/*_templ.go and static/dist
	$(TEMPL) generate -path views
	find views -name '*_templ.go' -exec gofmt -w {} +
	$(ESBUILD) static/css/index.css --bundle --minify '--external:fonts/*' --external:chevron.svg \
		--target=chrome123,firefox121,safari17.5 --log-level=warning --outfile=static/dist/latchkey.css
	$(ESBUILD) static/css/explorer.css --minify --target=chrome123,firefox121,safari17.5 --log-level=warning --outfile=static/dist/explorer.css
	$(ESBUILD) static/js/latchkey.js static/js/passkey.js static/js/check.js --minify --format=esm --target=es2022 \
		--log-level=warning --outdir=static/dist

# Not part of generate: it needs Node, and what it writes changes with package-lock.json alone.
graphiql: $(ESBUILD) ## bundle the GraphQL editor anew into static/dist (needs Node and the network)
	cd static/graphiql && npm ci --ignore-scripts --no-audit --no-fund && node style.mjs node_modules/.style.css
	$(ESBUILD) static/graphiql/index.js --bundle --minify --format=esm --target=es2022 --legal-comments=none \
		'--define:process.env.NODE_ENV="production"' --log-level=error | gzip -9n > static/dist/graphiql.js.gz
	$(ESBUILD) static/graphiql/node_modules/.style.css --minify --target=chrome123,firefox121,safari17.5 \
		--log-level=error | gzip -9n > static/dist/graphiql.css.gz

# Compares checksums, not commits, so that it also works before a commit.
check-generated: $(TEMPL) $(ESBUILD) ## fail if generated files are not up to date
	@sums() { { $(GENERATED); } | LC_ALL=C sort | xargs cksum; }; \
	before=$$(sums) && $(MAKE) --no-print-directory generate && after=$$(sums) && \
	if [ "$$before" != "$$after" ]; then \
		echo "check-generated: these files were not up to date; they are now, commit them:" >&2; \
		printf '%s\n%s\n' "$$before" "$$after" | LC_ALL=C sort | uniq -u | awk '{ print "  " $$3 }' | uniq >&2; \
		exit 1; \
	fi

lint: $(LINTER) ## gofmt, go vet, golangci-lint
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "gofmt these files (make fmt):" >&2; echo "$$files" >&2; exit 1; fi
	go vet ./...
	$(LINTER) run ./...
	@! grep -rnE --include='*.templ' '$(UNESCAPED)' views || { echo "these switch the escaping off" >&2; exit 1; }
	@! grep -nE '$(GORM_TRAPS)' $$(ls store/*.go | grep -v _test) || { echo "write conditions as text with placeholders, and name the columns" >&2; exit 1; }

fmt: $(TEMPL) ## format Go and templ sources
	$(TEMPL) fmt views
	gofmt -w .

# One after the other, also under make -j. lint has vetted what go test would vet again.
test: ## everything a change must pass; installs what is missing (needs root or sudo for that)
	@$(MAKE) --no-print-directory install-test-tools
	@$(MAKE) --no-print-directory check-generated
	@$(MAKE) --no-print-directory lint
	scripts/with-postgres.sh $(MAKE) --no-print-directory test-go

# What any database must do is tested on SQLite with all else, and then on PostgreSQL; and
# several nodes last, so that nothing else takes their time.
test-go:
	go test -race -vet=off -timeout 25m $$(go list ./... | grep -vE '/e2e/(cluster|faults)$$')
	LATCHKEY_TEST_DATABASE=postgres go test -vet=off -timeout 20m $(ON_POSTGRES)
	go test -vet=off -timeout 10m ./e2e/cluster

test-cluster: ## several nodes behind HAProxy, and faults between them, one by one: about 3 minutes
	go test -timeout 20m ./e2e/cluster -v

# Each in a world of its own, and most of it waits.
faults: ## what happens when a disk is full, read-only or broken, the clock jumps, memory or descriptors end: about 3 minutes, as root on Linux
	go test -timeout 10m -parallel 8 -count=1 ./e2e/faults -v

test-postgres: ## the tests of whatever asks the database, on PostgreSQL
	LATCHKEY_TEST_DATABASE=postgres scripts/with-postgres.sh go test -timeout 30m $(ON_POSTGRES)

cover: ## test coverage by function, in coverage.out
	scripts/with-postgres.sh go test -coverpkg=./... -coverprofile=coverage.out ./...
	go tool cover -func=coverage.out

fuzz: ## run each fuzz test for FUZZTIME
	@grep -r --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' . | sed 's/:func / /' | while read -r file name; do \
		echo "$$name in $$(dirname "$$file")"; \
		go test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) "$$(dirname "$$file")" </dev/null || exit 1; \
	done

bench: ## measure the program beside a bare echo server, about 10 minutes (BENCHARGS=-quick: 2; -write docs/benchmarks.md keeps it)
	@scripts/install-bench-tools.sh
	go run ./bench $(BENCHARGS)

# As durable as a server is, and with less memory than it has rows.
bench-postgres: ## bench on a PostgreSQL that keeps what it has committed, about 3 minutes
	@scripts/install-bench-tools.sh
	POSTGRES_OPTIONS="$(DURABLE)" scripts/with-postgres.sh sh -c 'go run ./bench -postgres "$$LATCHKEY_TEST_POSTGRES" $(BENCHARGS)'

bench-large: ## measure 20 million tokens on PostgreSQL and 5 million on SQLite: about 40 minutes, 12 GB (BENCHARGS="-rows 200000 -sqlite-rows 200000": 3)
	POSTGRES_OPTIONS="$(DURABLE) -c shared_buffers=512MB -c max_wal_size=1GB -c maintenance_work_mem=256MB" \
		scripts/with-postgres.sh go run ./bench/large $(BENCHARGS)

bench-go: ## run the Go benchmarks
	go test -run='^$$' -bench=. -benchmem ./...

vuln: $(VULN) ## look for known vulnerabilities (needs the network)
	$(VULN) ./...

install-test-tools: ## install the compiler, databases, browser and servers the tests need
	@scripts/install-test-tools.sh

clean: ## remove what was built
	rm -rf $(TOOLS) latchkey dist coverage.out

# The tools have a go.mod of their own, so that the program does not depend on
# theirs. touch: go build leaves a binary alone that is already right.
$(TEMPL): PKG = github.com/a-h/templ/cmd/templ
$(ESBUILD): PKG = github.com/evanw/esbuild/cmd/esbuild
$(LINTER): PKG = github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(VULN): PKG = golang.org/x/vuln/cmd/govulncheck
$(SBOM): PKG = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
$(TEMPL) $(ESBUILD) $(LINTER) $(VULN) $(SBOM): tools/go.sum
	@mkdir -p $(TOOLS)
	cd tools && go build -trimpath -o ../$(TOOLS)/ $(PKG)
	@touch $@
