# The front door. Meson is the build description; this file only names the common ways in.
BUILD ?= build

.PHONY: all check
all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD)

check: all
	meson test -C $(BUILD) --print-errorlogs
