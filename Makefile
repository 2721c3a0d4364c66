# Thin targets over c_src/Makefile, rebar3 and tests/run.sh.

C_FILES := $(shell find c_src tests e2e -name '*.[ch]')

.PHONY: all test format format-check lint layers asan tsan dialyzer xref clean

all:
	rebar3 compile

test:
	sh tests/run.sh

format:
	clang-format -i $(C_FILES)

# A check that matches no file would always pass.
format-check:
	@test -n "$(C_FILES)" || { echo "no C files found"; exit 1; }
	clang-format --dry-run -Werror $(C_FILES)

lint:
	$(MAKE) -C c_src -k -j2 lint

layers:
	sh tests/check_layers.sh

# The unit tests with sanitizers, built but not run: tests/run.sh runs them.
asan:
	$(MAKE) -C c_src all tests VARIANT=asan SANITIZE=address,undefined PRIV=../build/asan/priv

tsan:
	$(MAKE) -C c_src all tests VARIANT=tsan SANITIZE=thread PRIV=../build/tsan/priv

dialyzer:
	rebar3 dialyzer

xref:
	rebar3 xref

clean:
	rebar3 clean
	rm -rf build _build priv
