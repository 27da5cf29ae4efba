# What a developer runs often. ./run and ./test prepare .venv; these use it.
PYTHON := .venv/bin/python
export PYTHONPATH := .

.PHONY: check fix test prove bench lock front

check: ## ruff, types, import floors, content
	@$(PYTHON) -m ruff check -q .
	@$(PYTHON) -m mypy --no-error-summary
	@report=$$(.venv/bin/lint-imports --no-logo) || { echo "$$report"; exit 1; }
	@$(PYTHON) -m engine check

fix: ## what ruff can repair by itself
	$(PYTHON) -m ruff check --fix .

test:
	./test

prove: ## longer proofs
	$(PYTHON) -m pytest -m prove

bench: ## one table: a submit beside viewflow's, bytes a case, long cases, a full inbox, FEEL
	$(PYTHON) bench/table.py

front: ## rebuild the front while its sources change
	PATH="$(CURDIR)/.venv/bin:$$PATH" node engine/web/front/build.mjs --watch

lock: ## after a change of pyproject.toml or package.json
	.venv/bin/uv pip compile -q --generate-hashes --custom-compile-command 'make lock' --python $(PYTHON) pyproject.toml -o requirements.lock
	.venv/bin/uv pip compile -q --generate-hashes --custom-compile-command 'make lock' --python $(PYTHON) pyproject.toml --group test --group check -o requirements-test.lock
	echo 'uv' | .venv/bin/uv pip compile -q --generate-hashes --custom-compile-command 'make lock' --python $(PYTHON) - -o requirements-setup.lock
	PATH="$(CURDIR)/.venv/bin:$$PATH" npm install --package-lock-only --no-audit --no-fund
