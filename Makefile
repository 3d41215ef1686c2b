# Every target installs what it needs first. STACK chooses the stack, PYTHON the interpreter that makes the environment.
STACK ?= dev
TESTS ?= tests
RUN := .tools/venv/bin/python
SANDBOX := $(RUN) -m sandbox
# PROJECT=FOLDER after `make preview` and its like: another project than this one, which imports the components.
export SANDBOX_PROGRAM := $(if $(filter command,$(origin PROJECT)),$(value PROJECT))
# Values reach the programs through the environment, as they were typed. make would expand the variables of its command
# line when it exports them, and run a $(shell ...) in them; with $(STACK) in a recipe the shell would interpret the value.
$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(eval override $(name) := $$(value $(name)))))
export STACK BASE OUT LIMIT REGION COMMAND TESTS PYTHON
# Containers often set it, and then every command compiles all our modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help environment preview up review down refresh outputs inventory shell stop zones dns deployer-policy test check format bench docs

help: ## This list
	@echo "make TARGET [STACK=dev]"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

environment:
	@"$${PYTHON:-$$(for p in python3 python3.14 python3.13 python3.12 python3.11; do \
		$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done; echo python3)}" \
		tools/environment.py

preview: environment ## Plan the stack with the real Pulumi engine; changes nothing, needs no cloud
	@$(SANDBOX) preview --stack="$$STACK"

up: environment ## Apply the stack to the embedded cloud
	@$(SANDBOX) up --stack="$$STACK" --yes

review: environment ## Write the plan from the merge base to HEAD as Markdown (BASE=origin/main, OUT=plan.md)
	@$(SANDBOX) review --stack="$$STACK" $(if $(value BASE),--base="$$BASE") \
		$(if $(value OUT),--output="$$OUT") $(if $(value LIMIT),--limit="$$LIMIT")

down: environment ## Destroy the stack and end its embedded cloud
	@$(SANDBOX) down --stack="$$STACK" --yes

refresh: environment ## Read every resource again and show drift
	@$(SANDBOX) refresh --stack="$$STACK"

outputs: environment ## Print the stack's outputs as JSON
	@$(SANDBOX) outputs --stack="$$STACK"

inventory: environment ## List what exists in the emulated account
	@$(SANDBOX) inventory --stack="$$STACK"

shell: environment ## Open a shell whose kubectl and aws talk to the emulated cluster and account (COMMAND="kubectl get ns" runs that)
	@$(SANDBOX) shell --stack="$$STACK" $(if $(value COMMAND),--command="$$COMMAND")

stop: environment ## End the embedded cloud without destroying; what it held is gone
	@$(SANDBOX) stop --stack="$$STACK"

zones: environment ## Print the zones of REGION where EKS accepts a control plane (ACCOUNT=1 asks AWS)
	@$(SANDBOX) zones --region="$$REGION" $(if $(value ACCOUNT),--account)

dns: environment ## Write the load balancer that the installer made into the configuration of STACK
	@$(RUN) -m operations dns discover --stack="$$STACK"

deployer-policy: environment ## Print the IAM policy of the role that deploys STACK (CREATION=1: what its first update also needs)
	@$(RUN) -m operations deployer-policy --stack="$$STACK" $(if $(value CREATION),--creation)

test: environment ## Run the tests (ALL=1: the longest, too; TESTS=tests/unit: a part)
	@$(RUN) -m pytest $$TESTS $(if $(value ALL),,-m "not thorough") -n 2 --dist loadfile --no-loadscope-reorder

check: environment ## Lint, formatting, types, workflows
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m pyright
	@$(RUN) tools/lint_workflows.py

format: environment ## Mend formatting and what the linter can mend
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

docs: environment ## Write the generated parts of the documentation
	@$(RUN) tools/configuration_table.py --write README.md
	@$(RUN) tools/policy_table.py --write README.md
	@$(RUN) tools/recorded_table.py --write docs/embedded-cloud.md
	@$(RUN) tools/component_schema.py --write components/schema.json
	@$(RUN) tools/reference_pages.py --write docs/reference

bench: environment ## Measure previews against a flat program, and the provisioning critical path
	@$(RUN) -m tests.bench
