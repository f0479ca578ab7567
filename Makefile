# The front door. Two commands do everything: make run, make test.
BUILD ?= build
ARGS ?= audit

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja:
	@meson setup $(BUILD) -Dtests=false >/dev/null

# Installs what is missing, builds, and looks at this host (or what ARGS says).
run:
	@scripts/deps run
	@$(MAKE) --no-print-directory all
	@scripts/run $(BUILD)/yagura $(ARGS)

# The servers of 2001 as disk images under build/demo, and one line for each.
demo:
	@scripts/deps test
	@$(MAKE) --no-print-directory all
	@scripts/demo $(BUILD)

# Everything; QUICK=1 for the day's work.
test:
	@scripts/deps test
	@scripts/test $(BUILD)-test $(QUICK)

check:
	@scripts/deps check
	@scripts/check $(BUILD)-test

bench:
	@scripts/deps check
	@$(MAKE) --no-print-directory all
	@bench/run $(BUILD)

fuzz:
	@scripts/deps check
	@scripts/fuzz $(BUILD)-fuzz $(SECONDS)

install: all
	@meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) $(BUILD)-test $(BUILD)-fuzz

.PHONY: all run demo test check bench fuzz install clean
