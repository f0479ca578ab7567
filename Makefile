# The front door. Two commands do everything: make run, make test.
BUILD ?= build
ARGS ?= up

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

$(BUILD)/build.ninja:
	@meson setup $(BUILD) -Dtests=false >/dev/null

# Installs what is missing, builds, looks at this host and guards its sites (or what ARGS says).
run:
	@scripts/deps run
	@$(MAKE) --no-print-directory all
	@scripts/run $(BUILD)/yagura $(ARGS)

# In a second terminal: changes the demonstration site in twelve ways, and shows each undone.
deface:
	@$(MAKE) --no-print-directory all
	@scripts/deface $(BUILD)

# The servers of 2001 as disk images under build/demo, and one line for each.
demo:
	@scripts/deps test
	@$(MAKE) --no-print-directory all
	@scripts/demo $(BUILD)

# Everything, in less than an hour; QUICK=1 for the day's work, in minutes.
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

# The Debian package, checked by lintian: build/yagura_*.deb.
deb:
	@scripts/deps deb
	@scripts/deb $(BUILD)

install: all
	@meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) $(BUILD)-test $(BUILD)-fuzz

.PHONY: all run deface demo test check bench fuzz deb install clean
