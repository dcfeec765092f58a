# Thin: what is more than a line lives in scripts/. Every target makes .venv first if it must.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup up down status demo test fuzz lint generate bench

CACHE := $(or $(HOMEOSTAT_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/homeostat)
export PATH := $(CURDIR)/.venv/bin:$(CACHE)/bin:$(PATH)

help:                ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:               ## make .venv (does nothing while the locks are unchanged)
	@scripts/setup

up: setup            ## start homeostat: with Docker Compose, or natively without an engine
	@homeostat up

down: setup          ## stop it
	@homeostat down

status: setup        ## what is watched, what is wrong, what was repaired
	@homeostat status

demo: setup          ## break examples/shop and watch the repair
	@python -m chaos.demo

test: setup          ## every test, on real servers
	@scripts/test

fuzz: setup          ## look for longer for what breaks it, on one core for ten minutes
	@tests/fuzz/run

lint: setup          ## every check that runs no test
	@scripts/lint

generate: setup      ## write grafana/generated/*.json and docs/{configuration,metrics}.md again
	@python -m grafana
	@python -m cli.configdoc
	@python -m cli.metricsdoc

bench: setup         ## measure what the README promises
	@scripts/servers --with-node-exporter
	@python -m benchmarks.startup
	@python -m benchmarks.recovery
	@python -m benchmarks.idle
	@python -m benchmarks.exporter
	@python -m benchmarks.probes
	@python -m benchmarks.responder
	@python -m benchmarks.leaks
	@python -m benchmarks.config
	@python -m benchmarks.alerting
