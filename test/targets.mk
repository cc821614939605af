# The test targets; included by the Makefile after PGXS. Servers do not run as root: where make does, the tests
# that start one run as SERVER_USER.

SERVER_USER ?= postgres
AS_SERVER_USER = $(if $(filter 0,$(shell id -u)),runuser -u $(SERVER_USER) --,)

.PHONY: unit regress-folder boundary tap upgrade pgtap

# ---- core alone, with sanitizers ----

UNIT_FLAGS = -std=c++20 -O1 -g -Iinclude $(WARNINGS) -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -MMD -MP
UNIT_OBJS = $(patsubst %.cpp,build/unit/%.o,$(sort $(wildcard src/core/*.cpp test/unit/*.cpp)))

unit: build/unit/run ## Run the unit tests of core (UNIT_ARGS=--gtest_filter=Codec*)
	$< $(UNIT_ARGS)

build/unit/run: $(UNIT_OBJS)
	$(CXX) -fsanitize=address,undefined -o $@ $(UNIT_OBJS) -lgtest_main -lgtest -lpthread

build/unit/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(UNIT_FLAGS) -c -o $@ $<

-include $(UNIT_OBJS:.o=.d)

# ---- in a running server ----

installcheck: ## Run test/sql in a running server that preloads pgdba (database contrib_regression)

regress-folder:
	@mkdir -p $(REGRESS_OUT)
	@ln -sfn $(CURDIR)/test/sql $(REGRESS_OUT)/sql
	@ln -sfn $(CURDIR)/expected $(REGRESS_OUT)/expected

PGTAP_TESTS ?= test/pgtap

pgtap: ## Run test/pgtap against PGHOST and PGDATABASE (PGTAP_TESTS=test/pgtap/x.sql)
	pg_prove --recurse --ext .sql $(PGTAP_TESTS)

# ---- in servers of their own ----

# prove with the server's own Perl modules. $(1): tests, $(2): more environment.
define prove
@out=$${TAP_OUT:-$$(mktemp -d)} && $(if $(AS_SERVER_USER),chown $(SERVER_USER) $$out &&) \
$(AS_SERVER_USER) env TESTDIR=$$out TESTDATADIR=$$out/data TESTLOGDIR=$$out/log $(2) \
	PATH="$(bindir):$$PATH" PGPORT=6$(DEF_PGPORT) top_builddir=$$out \
	PG_REGRESS='$(top_builddir)/src/test/regress/pg_regress' \
	PERL5LIB="$(top_builddir)/src/test/perl:$(CURDIR)/test/tap$${PERL5LIB:+:$$PERL5LIB}" \
	$(PROVE) $(PROVE_FLAGS) $(1) \
&& { test -n "$$TAP_OUT" || rm -rf $$out; } || { echo "logs are in $$out" >&2; exit 1; }
endef

PROVE_TESTS ?= $(sort $(wildcard test/tap/*.pl))

tap: ## Run test/tap, each in servers of its own (PROVE_TESTS=test/tap/x.pl)
	$(call prove,$(PROVE_TESTS))

upgrade: ## Run test/upgrade: pg_upgrade to this server (OLD_INSTALL=/usr/lib/postgresql/17, where pgdba is installed too)
	$(call prove,$(sort $(wildcard test/upgrade/*.pl)),OLD_INSTALL='$(OLD_INSTALL)')

# The wall between C++ and the server: two small libraries, loaded from build/ and never installed.
BOUNDARY_OBJS = $(patsubst %.cpp,build/%.o,$(sort $(wildcard test/boundary/*.cpp)))
BOUNDARY_SECOND_OBJS = $(patsubst %.cpp,build/%.o,$(sort $(wildcard test/boundary/second/*.cpp)))
# The real objects of core and pg; the linker takes from the archive what the tests reach.
BOUNDARY_ARCHIVE = build/test/boundary/pgdba.a
BOUNDARY_LIBRARIES = $(addprefix build/test/boundary/pgdba_boundary,$(DLSUFFIX) _second$(DLSUFFIX))
BOUNDARY_TESTS ?= $(sort $(wildcard test/boundary/*.pl))

boundary: $(BOUNDARY_LIBRARIES) ## Test the C++/server boundary in private servers
	$(call prove,$(BOUNDARY_TESTS),BOUNDARY_BUILD='$(CURDIR)/build/test/boundary' \
		BOUNDARY_SOURCE='$(CURDIR)/test/boundary')

$(BOUNDARY_ARCHIVE): $(filter-out src/pg/version.o,$(call objects,core pg))
	@mkdir -p $(@D)
	rm -f $@
	$(AR) $(AROPT) $@ $^

build/test/boundary/pgdba_boundary$(DLSUFFIX): $(BOUNDARY_OBJS) $(BOUNDARY_ARCHIVE)
	$(LINK.shared) -o $@ $^ $(LDFLAGS) $(LDFLAGS_SL) -lstdc++

build/test/boundary/pgdba_boundary_second$(DLSUFFIX): $(BOUNDARY_SECOND_OBJS) $(BOUNDARY_ARCHIVE)
	$(LINK.shared) -o $@ $^ $(LDFLAGS) $(LDFLAGS_SL) -lstdc++

build/test/boundary/%.o: test/boundary/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(CPPFLAGS) -c -o $@ $<

-include $(BOUNDARY_OBJS:.o=.d) $(BOUNDARY_SECOND_OBJS:.o=.d)
