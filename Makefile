# The front door. Meson is the build description; this file only names the common ways in.
#
#   make            build                      make asan      the same tests, address + undefined sanitizers
#   make check      build and run all tests    make lint      clang-tidy, gcc -fanalyzer, shellcheck, layout
#   make demo       see the main job           make format    set the layout
#   make bench      speed, against bare runs   make fuzz      FUZZ_SECONDS=60 for each parser
#   make install    DESTDIR=, PREFIX=          make soak      the long tests
#   make deb        Debian packages            make clean      make help       this list
#   make vm         the tests on Debian's kernel with cgroup v2, in a virtual machine (VM_TESTS= names some)
#
# SETUP= goes to `meson setup` (SETUP=-Dwerror=true in CI).
BUILD ?= build
PREFIX ?= /usr/local
SETUP ?=
FUZZ_SECONDS ?= 60
VM_TESTS ?=

# Tests that time out on a slow machine: TIMEOUT=3 multiplies.
TIMEOUT ?= 1
# How many run at once: a third of their time is waiting.
JOBS ?= $(shell echo $$(($$(nproc) * 2)))
TEST = meson test --print-errorlogs --num-processes $(JOBS) --timeout-multiplier $(TIMEOUT)

# What is installed, of that build: half of all there is to do, the rest is tests and benches.
INSTALLED = $$(meson introspect $(1) --targets | python3 -c 'import json, os, sys; \
	print(*(os.path.relpath(f, sys.argv[1]) for t in json.load(sys.stdin) if t["installed"] for f in t["filename"]))' $(abspath $(1)))

.PHONY: all check asan lint format fuzz soak bench demo install deb vm clean help
all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD) $(SETUP)

check: all
	$(TEST) -C $(BUILD) --no-suite soak

# Little optimised: it compiles in half the time, and runs as fast. The lengths of formats are judged in the build above, which has all of the optimiser.
$(BUILD)-asan/build.ninja:
	meson setup $(BUILD)-asan -Db_sanitize=address,undefined -Doptimization=1 -Dc_args=-Wno-format-truncation $(SETUP)

asan: $(BUILD)-asan/build.ninja
	ninja -C $(BUILD)-asan
	$(TEST) -C $(BUILD)-asan --no-suite soak --no-suite long

# The tests of the suite `soak` and those that do more of the same when asked.
soak: all
	AMBIT_SOAK=20 $(TEST) -C $(BUILD)

lint:
	.ci/lint $(BUILD)

format:
	git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i
	! command -v gofmt >/dev/null || git ls-files -z '*.go' | xargs -0 gofmt -w

$(BUILD)-fuzz/build.ninja:
	CC=clang meson setup $(BUILD)-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
		-Dc_args=-fsanitize=fuzzer-no-link $(SETUP)

fuzz: $(BUILD)-fuzz/build.ninja
	ninja -C $(BUILD)-fuzz fuzzers
	fuzz/run $(BUILD)-fuzz $(FUZZ_SECONDS)

# Optimised, and in a directory of its own.
$(BUILD)-bench/build.ninja:
	meson setup $(BUILD)-bench --buildtype=release $(SETUP)

bench: $(BUILD)-bench/build.ninja
	ninja -C $(BUILD)-bench
	bench/run $(BUILD)-bench

# As root. tests/vm/run says what it needs and --list what it runs: minutes with /dev/kvm, an hour where the processor
# is imitated.
vm: all
	tests/vm/run $(BUILD) $(VM_TESTS)

demo: $(BUILD)/build.ninja
	ninja -C $(BUILD) $(call INSTALLED,$(BUILD))
	AMBIT=$(BUILD)/ambit AMBIT_DEMO_CACHE=$(BUILD)/demo-npm examples/demo/demo

# A build of its own: the prefix is compiled in, and the one for development stays as it is.
$(BUILD)-install/build.ninja:
	meson setup $(BUILD)-install --prefix=$(PREFIX) --strip $(SETUP)

install: $(BUILD)-install/build.ninja
	meson configure $(BUILD)-install -Dprefix=$(PREFIX)
	ninja -C $(BUILD)-install $(call INSTALLED,$(BUILD)-install)
	meson install --no-rebuild -C $(BUILD)-install
	@case "$(DESTDIR):$(PREFIX):$$(id -u)" in :/usr:0 | :/usr/local:0) /sbin/ldconfig ;; esac # else nothing finds libambit.so.1
	@case "$(DESTDIR):$$PATH:" in [!:]* | *:"$(PREFIX)/bin":*) ;; *) \
		echo "$(PREFIX)/bin is not on PATH; to call ambit by name: export PATH=\"$(PREFIX)/bin:\$$PATH\"" ;; esac

# The list above.
help:
	@sed -n '3,/^BUILD/s/^# \{0,1\}//p' Makefile

# The packages go to $(BUILD)-packages.
deb:
	mkdir -p $(BUILD)-packages
	PACKAGES=$(BUILD)-packages dpkg-buildpackage -b -us -uc --buildinfo-option=-u$(BUILD)-packages \
		--buildinfo-option=-O$(BUILD)-packages/ambit.buildinfo \
		--changes-option=-u$(BUILD)-packages --changes-option=-O$(BUILD)-packages/ambit.changes

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-bench $(BUILD)-fuzz $(BUILD)-install $(BUILD)-clang $(BUILD)-analyzer $(BUILD)-deb $(BUILD)-packages \
		$(BUILD)-vm
