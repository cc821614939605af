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

# Schema files from 30 on are replaced by an update; what those before them make, tables above all, is changed by hand.
SCHEMA_KEPT = $(sort $(wildcard sql/schema/[0-2]*.sql))
SCHEMA_REPLACED = $(sort $(wildcard sql/schema/[3-9]*.sql))
POLICY = $(sort $(wildcard sql/probes/*.sql)) $(sort $(wildcard sql/checks/*/*.sql))
SCHEMA_END = $(sort $(wildcard sql/schema_end/*.sql))
# A folder's time changes when a part is added or removed.
SQL_FOLDERS = $(wildcard sql/schema sql/probes sql/checks sql/checks/*/ sql/schema_end sql/update)

# Scripts of versions that are closed are in sql/, never changed. Those of this version are built.
DATA = $(sort $(wildcard sql/$(EXTENSION)--*.sql))
EXTENSION_SQL = build/$(EXTENSION)--$(PGDBA_VERSION).sql
UPDATE_SQL = $(patsubst sql/update/%,build/$(EXTENSION)--%,$(wildcard sql/update/*--$(PGDBA_VERSION).sql))
DATA_built = $(EXTENSION_SQL) $(UPDATE_SQL)

INSTALL_PARTS = $(SCHEMA_KEPT) $(SCHEMA_REPLACED) $(POLICY) $(SCHEMA_END)
# $(1): what only this update has to do.
update_parts = sql/update/begin.sql $(1) $(SCHEMA_REPLACED) $(POLICY) sql/update/end.sql $(SCHEMA_END)
# An install script creates, so that it takes over nothing that is there; an update replaces. Files are named after what they
# define.
POLICY_NAMES = $(subst /,.,$(patsubst sql/probes/%.sql,%,$(patsubst sql/checks/%.sql,%,$(POLICY))))
TO_UPDATE = s/^CREATE (FUNCTION|VIEW|TRIGGER) /CREATE OR REPLACE \1 /; s/@VERSION@/$(PGDBA_VERSION)/; s/@NAMES@/$(POLICY_NAMES)/

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

EXTRA_CLEAN = $(HTTP_OBJS) $(HTTP_LIBRARY) $(ALL_OBJS:.o=.d) $(ALL_OBJS:.o=.bc.d) META.json build

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

# $(call script,COMMAND,PARTS,CHANGES): the parts one after the other, each under its name.
define script
@echo "building $@ from $(words $(2)) parts"
@mkdir -p $(@D)
@{ printf '%s\n' '\echo Use "$(1)" to load this file. \quit'; \
for part in $(2); do printf '\n-- %s\n' $$part; sed -E '$(3)' $$part; done; } > $@.part && mv $@.part $@
endef

$(EXTENSION_SQL): $(INSTALL_PARTS) $(SQL_FOLDERS) $(EXTENSION).control
	$(call script,CREATE EXTENSION $(EXTENSION),$(INSTALL_PARTS))

build/$(EXTENSION)--%--$(PGDBA_VERSION).sql: sql/update/%--$(PGDBA_VERSION).sql $(call update_parts) $(SQL_FOLDERS) $(EXTENSION).control
	$(call script,ALTER EXTENSION $(EXTENSION) UPDATE,$(call update_parts,$<),$(TO_UPDATE))

install: ## Install both libraries, the control file and the install script
install: install-http

.PHONY: install-http uninstall-http
install-http: $(HTTP_LIBRARY) installdirs-lib
	$(INSTALL_SHLIB) $(HTTP_LIBRARY) '$(DESTDIR)$(pkglibdir)/$(HTTP_LIBRARY)'

uninstall: uninstall-http
uninstall-http:
	rm -f '$(DESTDIR)$(pkglibdir)/$(HTTP_LIBRARY)'

include test/targets.mk

.PHONY: freeze lint tidy format format-check dist help

freeze: $(DATA_built) ## Close the version: keep its scripts in sql/ for ever and begin the next (NEXT=0.3)
	@test -n '$(NEXT)' || { echo 'name the next version: make freeze NEXT=...' >&2; exit 1; }
	cp $(DATA_built) sql/
	sha256sum sql/$(EXTENSION)--*.sql > sql/closed.sha256
	rm -f sql/update/*--$(PGDBA_VERSION).sql
	echo '-- What OR REPLACE cannot do from $(PGDBA_VERSION) to $(NEXT).' > sql/update/$(PGDBA_VERSION)--$(NEXT).sql
	sed -i "s/^\(default_version *= *\)'.*'/\1'$(NEXT)'/" $(EXTENSION).control

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
