# make demo    trains a first model and writes its report
# make cntk    sets up the backend CNTK, in the cache folder
# make test    every check and test, as CI runs them
# make check   the checks that need no framework: seconds
# make docs    the documentation as a site, in site/

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: demo cntk test check docs lint clean

demo: .venv/.demo
	$(BIN)/python cli.py run experiments/quickstart.yaml

cntk: .venv/.demo
	$(BIN)/python cli.py backends install cntk

test: check
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --durations 40

check: .venv/.test docs
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/vermin --quiet --no-tips --target=2.7- --target=3.5- --violations $$(grep -l '(2\.7)' -r --include='*.py' backends/legacy)
	rm -rf build .assembled
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --target .assembled .
	cd .assembled && ../$(BIN)/python -m mypy --config-file ../pyproject.toml -p radzoo
	cd .assembled && ../$(BIN)/lint-imports --config ../pyproject.toml

docs: .venv/.test
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

.venv/.demo: pyproject.toml constraints.txt | .venv/.made
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[tensorflow]'
	touch $@

.venv/.test: pyproject.toml constraints.txt | .venv/.made
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt \
		--editable '.[tensorflow,torch,jax,dicom,search,dask,mlflow,tensorboard,explain,webapp]' --group test --group docs
	touch .venv/.demo $@

.venv/.made:
	@command -v "$(PYTHON)" >/dev/null || { echo 'There is no Python at "$(PYTHON)". Install Python 3.11, or say where it is: make PYTHON=/path/to/python3.11'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "radzoo needs Python 3.11 or newer, and $(PYTHON) is older. Say where a newer one is: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade --constraint constraints.txt pip setuptools wheel
	touch $@

clean:
	rm -rf .venv .assembled build dist site *.egg-info
