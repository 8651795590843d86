# For people; meson and ninja do the work. Each target first installs the Debian packages it lacks
# (tools/packages.txt).
packages = @sh tools/packages.sh

.PHONY: all demo test restart sim mutants bench fuzz lint install clean
all:
	$(packages) build
	@test -f build/build.ninja || meson setup build
	@ninja -C build

# The three-site demonstration in network namespaces; KEEP=1 leaves it running.
demo: all
	$(packages) demo
	@KEEP="$(KEEP)" demo/demo.sh

# Every suite, with gcc and under the sanitizers of clang, and the checks.
test:
	$(packages) build demo lint fuzz test
	@python3 tools/run_tests.py

# The key server killed 200 times under traffic.
restart: all
	$(packages) demo test
	@test/e2e/restart.py build/src/cmd 200

# The long simulations: months of groups, and the server killed at every place of each story.
sim: all
	@python3 tools/sim.py

# Each option and guard taken out of the code, one at a time: a test must fail (test/mutants.toml).
mutants:
	$(packages) build
	@python3 tools/mutants.py

bench: all
	$(packages) demo bench
	@bench/run.sh

# Every fuzz target for FUZZ_SECONDS (300).
fuzz:
	$(packages) build fuzz
	@python3 tools/fuzz.py

lint:
	$(packages) build lint
	@python3 tools/run_tests.py lint

install: all
	@meson install -C build --no-rebuild

clean:
	rm -rf build build-asan build-fuzz
