# Builds pgdba.so (preloaded) and pgdba_http.so (the HTTP process alone loads it) with the server's PGXS.
# Every list of files is a wildcard: a new source, test, probe or check needs no line here.
#
# PG_CONFIG chooses the server: make PG_CONFIG=/usr/lib/postgresql/17/bin/pg_config

PG_CONFIG ?= pg_config
EXTENSION = pgdba
MODULE_big = pgdba

# The version is named once, in the control file.
PGDBA_VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" $(EXTENSION).control)

objects = $(patsubst %.cpp,%.o,$(sort $(wildcard $(addprefix src/,$(addsuffix /*.cpp,$(1))))))

OBJS = $(call objects,core host pg rings launcher sampler entry)
# Hidden visibility gives each library its own copy of core and pg.
HTTP_OBJS = $(call objects,core pg server)
ALL_OBJS = $(sort $(OBJS) $(HTTP_OBJS))
HTTP_LIBRARY = pgdba_http$(DLSUFFIX)

SQL_PARTS = $(sort $(wildcard sql/schema/*.sql)) $(sort $(wildcard sql/probes/*.sql)) \
	$(sort $(wildcard sql/checks/*/*.sql)) $(sort $(wildcard sql/schema_end/*.sql))
# A folder's time changes when a part is added or removed.
SQL_FOLDERS = $(wildcard sql/schema sql/probes sql/checks sql/checks/*/ sql/schema_end)
EXTENSION_SQL = sql/$(EXTENSION)--$(PGDBA_VERSION).sql
DATA_built = $(EXTENSION_SQL)

# Server headers are not ours to mend: -isystem. sigsetjmp makes -Wclobbered cry wolf (elog.h says so as well), a
# designated initialiser leaves members out on purpose, and PG_FUNCTION_ARGS names a parameter that not all need.
WARNINGS = -Wall -Wextra -Werror -Wno-clobbered -Wno-missing-field-initializers -Wno-unused-parameter
CXX_RULES = -std=c++20 -fvisibility=hidden -fvisibility-inlines-hidden
CXX_DIALECT = $(CXX_RULES) -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CPPFLAGS = -Iinclude
# PGXS tracks headers only where the server was configured to.
PG_CXXFLAGS = $(CXX_DIALECT) $(WARNINGS) -MMD -MP
# PGXS links with the C compiler. The server has libcrypto already where it can do TLS.
SHLIB_LINK += -lcrypto -lstdc++

# pg_regress wants sql/ and expected/ beside each other; build/regress links to both.
REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OUT ?= build/regress
REGRESS_OPTS = --inputdir=$(REGRESS_OUT) --outputdir=$(REGRESS_OUT)
REGRESS_PREP = regress-folder

EXTRA_CLEAN = $(HTTP_OBJS) $(HTTP_LIBRARY) $(ALL_OBJS:.o=.d) $(ALL_OBJS:.o=.bc.d) META.json build \
	sql/$(EXTENSION)--$(PGDBA_VERSION).sql.part

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# clang does not know all of gcc's options, and C++20 deprecates what HOLD_INTERRUPTS() does to a volatile.
CLANG_TOLERANCE = -Wno-unknown-warning-option -Wno-deprecated-volatile
ifneq (,$(findstring clang,$(shell $(CXX) --version)))
override CXXFLAGS += $(CLANG_TOLERANCE)
endif
# PG_CXXFLAGS does not reach the bitcode. Dependencies of their own, or they would overwrite those of the object.
COMPILE.cxx.bc += $(CXX_DIALECT) $(WARNINGS) $(CLANG_TOLERANCE) -MMD -MP -MF $@.d -MQ $@

-include $(ALL_OBJS:.o=.d) $(ALL_OBJS:.o=.bc.d)

# One object knows the version, so that a new version compiles one file.
src/pg/version.o src/pg/version.bc: override CPPFLAGS += -DPGDBA_VERSION='"$(PGDBA_VERSION)"'
src/pg/version.o src/pg/version.bc: $(EXTENSION).control

all: ## Build both libraries and the install script
all: $(HTTP_LIBRARY)

$(HTTP_LIBRARY): $(HTTP_OBJS)
	$(LINK.shared) -o $@ $(HTTP_OBJS) $(LDFLAGS) $(LDFLAGS_SL) -lmicrohttpd -lstdc++

$(EXTENSION_SQL): $(SQL_PARTS) $(SQL_FOLDERS) $(EXTENSION).control
	@echo "building $@ from $(words $(SQL_PARTS)) parts"
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION $(EXTENSION)" to load this file. \quit'; \
	for part in $(SQL_PARTS); do printf '\n-- %s\n' $$part; cat $$part; done; } > $@.part && mv $@.part $@

install: ## Install both libraries, the control file and the install script
install: install-http

.PHONY: install-http uninstall-http
install-http: $(HTTP_LIBRARY) installdirs-lib
	$(INSTALL_SHLIB) $(HTTP_LIBRARY) '$(DESTDIR)$(pkglibdir)/$(HTTP_LIBRARY)'

uninstall: uninstall-http
uninstall-http:
	rm -f '$(DESTDIR)$(pkglibdir)/$(HTTP_LIBRARY)'

include test/targets.mk

.PHONY: lint tidy format format-check dist help

lint: ## Check the rules that a compiler does not know (scripts/lint)
	@PG_CONFIG='$(PG_CONFIG)' scripts/lint

CLANG_FORMAT ?= clang-format-14
CLANG_TIDY ?= clang-tidy
CXX_FILES = $(sort $(wildcard src/*/*.cpp include/pgdba/*/*.hpp test/unit/*.cpp test/unit/*.hpp test/boundary/*.cpp \
	test/boundary/*.hpp))
TIDY_FILES ?= $(sort $(wildcard src/*/*.cpp))

tidy: ## Run clang-tidy (TIDY_FILES=src/core/codec.cpp for one file)
	$(CLANG_TIDY) --quiet $(TIDY_FILES) -- $(CPPFLAGS) $(CXX_DIALECT) -DPGDBA_VERSION='"$(PGDBA_VERSION)"'

format: ## Lay out every C++ file with clang-format
	$(CLANG_FORMAT) -i $(CXX_FILES)

format-check: ## Fail when clang-format would change a file
	$(CLANG_FORMAT) --dry-run --Werror $(CXX_FILES)

META.json: META.json.in $(EXTENSION).control
	sed 's/@VERSION@/$(PGDBA_VERSION)/g' $< > $@

dist: META.json ## Pack the committed tree as pgdba-<version>.zip
	git archive --format=zip --prefix=$(EXTENSION)-$(PGDBA_VERSION)/ --add-file=META.json \
		-o $(EXTENSION)-$(PGDBA_VERSION).zip HEAD

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile test/targets.mk | expand -t 18

clean: ## Remove everything that was built
