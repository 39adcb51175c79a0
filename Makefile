# npm runs everything on the Node of node_modules, whatever the machine has.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help dev token audit test test-mints test-model check format bench

# Installed once, and again when the lockfile changes.
node_modules/.installed: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

help: ## What there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dev: node_modules/.installed ## Sidecar, development mint and stub model on this machine; prints a paid request to paste
	@node_modules/.bin/node sqlite-dev/main.ts

token: node_modules/.installed ## Another token: make token AMOUNT=1000 (sats)
	@AMOUNT=$(AMOUNT) node_modules/.bin/node sqlite-dev/token.ts

audit: node_modules/.installed ## Where every msat went; fails unless the books balance
	@node_modules/.bin/node cli/audit.ts

test: node_modules/.installed ## Every test that needs only npm
	@npm test --silent

test-mints: node_modules/.installed ## Tests against real mints: CASHU_MINT_URLS=http://…[,http://…]
	@npm test --silent -- --config tests/mints/vitest.config.ts

test-model: node_modules/.installed ## Tests against a real model: LLM_URL=http://…/v1
	@npm test --silent -- --config tests/model/vitest.config.ts

check: node_modules/.installed ## Format, lint, types, arrows between rooms, dead exports, licences
	@npm run --silent check

format: node_modules/.installed ## Puts the format right
	@node_modules/.bin/biome check --write .

bench: node_modules/.installed ## Ratios, measured side by side in one run
	@node_modules/.bin/node bench/main.ts
