# `make demo` and `make test` set up everything themselves, once, in .venv; then they only run.
# Recipes quote nothing they need not: every path is relative, so a checkout may lie under a path with spaces.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DOCS_READY := .venv/.docs-ready
# Many tests wait for processes, servers and terminals: two workers per core keep the cores busy.
WORKERS ?= $(shell $(PYTHON) -c "import os; print(2 * (os.cpu_count() or 1))")

.PHONY: demo test test-accelerator test-slow real browser lint format docs frames pictures gallery clean

demo: $(READY)
	@$(BIN)/steertui --batch --demo

test: lint
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --timeout 300 --durations 10 --durations-min 10

test-accelerator: $(READY)
	@ACCELERATOR=1 $(BIN)/python -m pytest tests/accelerator --timeout 600

test-slow: $(READY)
	@$(BIN)/python -m pytest -m slow --timeout 3600

# Fetches four small real models as data (2 GB, once; benchmarks/real_models.py names the folder) and runs the tests on them.
real: $(READY)
	@$(BIN)/python -m benchmarks.real_models
	@$(BIN)/python -m pytest -m real

# What the HTML page's own tests need besides Chromium; they are skipped, by name, without.
browser: $(READY)
	@npm install --no-save --no-audit --no-fund --prefix .venv axe-core@4

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# Builds the documentation into docs/_build/html; warnings are errors.
docs: $(DOCS_READY)
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "Built: docs/_build/html/index.html"

$(DOCS_READY): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group docs
	@touch $(DOCS_READY)

# Draws the screens' states anew that tests compare with; look at what git says has changed.
frames: $(READY)
	@FRAMES=draw $(BIN)/python -m pytest -m slow tests/tui/test_frames.py

# Pictures of all screens, and the recording of the README, from runs of the demo.
pictures: $(READY)
	@$(BIN)/python docs/pictures.py
	@$(BIN)/python docs/recording.py

# Writes the reports of docs/gallery anew; GALLERY="paper=paper.db" adds those of databases.
gallery: $(READY)
	@$(BIN)/python docs/gallery.py $(GALLERY)

# llama-cpp-python is compiled here for this machine: about 4 minutes on two cores, once.
$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing (llama.cpp is compiled once: some minutes) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group dev -e .
	@touch $(READY)

clean:
	rm -rf .venv dist docs/_build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
