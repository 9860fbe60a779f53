# make run                      build, then try larder in front of a small demo origin
# make run ORIGIN=https://...   the same in front of a real origin
# make test | check | release | format | bench
# make docs | example           the documentation of LarderCache; a worker in Swift, tried out
#
# LISTEN, DEMO, DB, CACHE_POST and FLAGS change what `make run` starts, SWIFT_FLAGS how it is built.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test check lint format build release bench docs example dependencies

ORIGIN ?=
LISTEN ?= 127.0.0.1:8080
DEMO ?= 127.0.0.1:8081
FLAGS ?=
SWIFT_FLAGS ?=

# The client's view of a URL names a stored answer, so every origin gets a file of its own.
origin_name := $(subst :,-,$(subst /,-,$(patsubst http://%,%,$(patsubst https://%,%,$(ORIGIN)))))
DB ?= $(if $(ORIGIN),larder-$(origin_name).db,larder.db)
# Of a real origin nobody but its operator knows which POSTs are reads.
CACHE_POST ?= $(if $(ORIGIN),,/search /graphql)
cache_post := $(foreach glob,$(CACHE_POST),--cache-post '$(glob)')

debug := --scratch-path .build-debug --explicit-target-dependency-import-check error $(SWIFT_FLAGS)
larder := .build-release/release/larder
# One file without a Swift runtime to install; calls into the runtime are direct, too.
release_flags := --scratch-path .build-release --static-swift-stdlib
sources := Package.swift Sources Tests Migrations Examples/Package.swift Examples/Sources $(wildcard Benchmarks/Package.swift Benchmarks/Sources)

# Few tests at a time: with all of them at once, minutes pass between two lines of one test.
few_at_a_time = $(shell swift test --help-hidden 2>/dev/null | grep -q maximum-parallelization-width \
    && echo --experimental-maximum-parallelization-width 8)

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed -n 1,6p

# Whatever is there already is left alone, however it came.
dependencies:
	@missing=; \
	for tool in sqlite3 curl pkg-config openssl; do \
	    command -v $$tool >/dev/null || missing="$$missing $$tool"; \
	done; \
	for pair in sqlite3:libsqlite3-dev libcrypto:libssl-dev libxxhash:libxxhash-dev zlib:zlib1g-dev; do \
	    pkg-config --exists $${pair%%:*} 2>/dev/null || missing="$$missing $${pair##*:}"; \
	done; \
	[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$$missing ca-certificates"; \
	fail() { echo "make: $$1" >&2; exit 1; }; \
	if [ -n "$$missing" ]; then \
	    echo "missing:$$missing"; \
	    command -v apt-get >/dev/null \
	        || fail "there is no apt-get here; please install what these Debian packages hold:$$missing"; \
	    sudo=; \
	    if [ "$$(id -u)" != 0 ]; then \
	        command -v sudo >/dev/null || fail "please run as root: apt-get install$$missing"; \
	        sudo=sudo; \
	    fi; \
	    $$sudo apt-get update -q \
	        && $$sudo env DEBIAN_FRONTEND=noninteractive \
	            apt-get install -q -y --no-install-recommends $$missing \
	        || fail "apt-get could not install:$$missing"; \
	fi; \
	command -v swift >/dev/null \
	    || fail "there is no swift here; install 6.2 or newer from https://www.swift.org/install/"

release: dependencies
	swift build -c release $(release_flags) --product larder $(SWIFT_FLAGS)

build: dependencies
	swift build --build-tests $(debug)

# Job control gives each process a group of its own, so that ctrl-C reaches this script alone and
# each of them gets exactly one signal: larder first, to finish what is in flight.
run: release
	@larder= demo=; \
	stop() { \
	    trap '' INT TERM; \
	    for pid in $$larder $$demo; do kill -TERM $$pid 2>/dev/null && wait $$pid; done; \
	}; \
	trap 'stop; exit 0' INT TERM; \
	await() { \
	    local host=$${2%:*} port=$${2##*:}; \
	    host=$${host#[}; host=$${host%]}; \
	    [ "$$host" = 0.0.0.0 ] && host=127.0.0.1; \
	    for _ in $$(seq 200); do \
	        kill -0 $$1 2>/dev/null || return 1; \
	        if (: </dev/tcp/$$host/$$port) 2>/dev/null; then \
	            sleep 0.2; kill -0 $$1 2>/dev/null; return; \
	        fi; \
	        sleep 0.1; \
	    done; \
	    echo "make: nothing listens on $$2 after 20 seconds" >&2; return 1; \
	}; \
	fail() { stop 2>/dev/null; exit 1; }; \
	origin='$(ORIGIN)'; \
	if [ -z "$$origin" ]; then \
	    origin='http://$(DEMO)'; \
	    set -m; $(larder) demo-origin --listen '$(DEMO)' & demo=$$!; set +m; \
	    await $$demo '$(DEMO)' || fail; \
	fi; \
	set -m; \
	$(larder) serve --origin "$$origin" --listen '$(LISTEN)' --db '$(DB)' $(cache_post) $(FLAGS) & \
	larder=$$!; set +m; \
	await $$larder '$(LISTEN)' || fail; \
	echo; \
	echo "larder on http://$(LISTEN) stands in front of $$origin and keeps $(DB)."; \
	echo "Try in another terminal (ctrl-C here stops everything):"; \
	echo; \
	if [ -z '$(ORIGIN)' ]; then \
	    post="curl -i --json '{\"query\": \"cats\"}' http://$(LISTEN)/search"; \
	    echo "  $$post    # a miss, slow (a hit if $(DB) has it from before)"; \
	    echo "  $$post    # a hit, at once"; \
	else \
	    echo "  curl -i http://$(LISTEN)/    # a miss"; \
	    echo "  curl -i http://$(LISTEN)/    # a hit, if the origin lets it be stored"; \
	fi; \
	echo "  sqlite3 -box $(DB) 'SELECT method, url, status, size, age, fresh_for FROM entries'"; \
	echo; \
	wait $$larder; status=$$?; larder=; stop; exit $$status

# The process tests run the binary that is built with them.
test: dependencies
	LARDER_BINARY='$(CURDIR)/.build-debug/debug/larder' swift test $(debug) $(few_at_a_time)
	$(MAKE) example docs

# A package of its own, with what only examples need.
example: build
	swift build --package-path Examples --scratch-path .build-examples $(SWIFT_FLAGS)
	Examples/try.sh .build-examples/debug/PostCachingWorker .build-debug/debug/larder

docs:
	swift package --scratch-path .build-debug --allow-writing-to-directory .build-docs \
	    generate-documentation --target LarderCache --output-path .build-docs --warnings-as-errors \
	    --transform-for-static-hosting --hosting-base-path larder

lint:
	swift format lint --strict --parallel --recursive $(sources)

check: lint build

format:
	swift format --in-place --parallel --recursive $(sources)

bench: release
	Benchmarks/run.sh
