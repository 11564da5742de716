# Two commands: `make demo` tells the story, `make test` proves it. Both set up what they need.
export ARCFERRY_TOOLS := $(CURDIR)/.tools
PYTEST_WORKERS ?= 2

.PHONY: venv tools demo test docs fuzz lint format lock pictures clean

venv: .venv/.ready

.venv/.ready: pyproject.toml lab/pyproject.toml uv.lock scripts/venv.sh scripts/pinned.py
	@sh scripts/venv.sh

tools:
	@sh scripts/tools.sh

demo: venv tools
	@.venv/bin/arcferry lab demo

# What fails runs once more, with nothing beside it: a program of Wine's that was ended by the load passes then, and what
# is wrong fails again.
test: venv
	@sh scripts/tools.sh test
	.venv/bin/python -m pytest -n $(PYTEST_WORKERS) --dist loadgroup || { \
		code=$$?; [ $$code = 1 ] || exit $$code; \
		echo "test: what failed runs once more, alone"; \
		.venv/bin/python -m tests.again; }

# Atheris is no dependency: it comes into an environment of its own, and finds arcferry in the other. How many inputs
# there were stands at the end (number_of_executed_units); what failed stays in .fuzz.
FUZZ_RUNS ?= 1000000
fuzz: venv
	@test -x .fuzz/bin/python || { .venv/bin/python -m venv .fuzz && .fuzz/bin/pip install -q atheris; }
	cd .fuzz && PYTHONPATH=../src:$$(../.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
		nice -n 19 bin/python ../fuzz/readers.py -runs=$(FUZZ_RUNS)

lint: venv
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/mypy --platform win32 src
	.venv/bin/lint-imports
	.venv/bin/python scripts/self_lock.py --check

format: venv
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

lock: venv
	.venv/bin/python scripts/lock.py
	.venv/bin/python scripts/self_lock.py
	@touch .venv/.ready

docs: venv
	.venv/bin/mkdocs build --strict --quiet
	@echo "docs: open .site/index.html"

pictures: venv tools
	PYTHONPATH=. .venv/bin/python scripts/pictures.py

clean:
	rm -rf .venv .tools .fuzz .site
