# Alur in two commands: make run, make test. Each target is one line; bootstrap.py has the work. PYTHON names another Python.
PYTHON ?= python3
.PHONY: run install test soak bench check audit advisories lock clean

run:    ; @$(PYTHON) bootstrap.py run $(ARGS)
install: ; @$(PYTHON) bootstrap.py install $(ARGS)
test:   ; @$(PYTHON) bootstrap.py test $(ARGS)
soak:   ; @$(PYTHON) bootstrap.py test -m soak $(ARGS)
bench:  ; @$(PYTHON) bootstrap.py bench $(ARGS)
check:  ; @$(PYTHON) bootstrap.py check $(ARGS)
audit:  ; @.venv/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.lock $(ARGS)
advisories: ; @.venv/bin/python -m tests.advisories
lock:   ; @$(PYTHON) bootstrap.py lock $(ARGS)
clean:  ; rm -rf .venv .pytest_cache .hypothesis .mypy_cache .ruff_cache dist forms/static/dist forms/web/node_modules
