# Copyright (C) govsvc authors
#
# Entry points only; the work is in tools/.  "make help" lists them.

ifeq ($(origin CC),default)
CC :=		gcc
endif
CLANG ?=	clang
DESTDIR ?=
PREFIX ?=	/usr
MODULES ?=	/usr/lib/nginx/modules
FUZZ_SECONDS ?=	60
JOBS ?=		$(shell nproc)

# make V=1 shows the commands
Q :=		$(if $(V),,@)
SAY =		$(if $(V),@:,@echo ' ')

GS :=		ngx_govsvc_module
ROOMS :=	core token route limit guard audit seal

GS_SRCS :=	$(foreach r,$(ROOMS),$(sort $(wildcard $(GS)/$(r)/*.c))) \
		$(sort $(wildcard $(GS)/admin/gs_*.c))
CLI_SRCS :=	$(sort $(wildcard $(GS)/cli/*.c))
UNIT_SRCS :=	$(sort $(wildcard t/unit/*_test.c))
FUZZ_SRCS :=	$(sort $(wildcard fuzz/*_fuzz.c))
MICRO_SRCS :=	$(sort $(wildcard bench/micro_*.c))
TOOL_SRCS :=	$(wildcard tools/mint.c)

WARN :=		-Wall -Wextra -Wno-unused-parameter -Wstrict-prototypes \
		-Wmissing-prototypes -Wshadow -Wvla \
		-Wdeclaration-after-statement -Werror
CFLAGS :=	-O2 -g -fstack-protector-strong -D_GNU_SOURCE $(WARN) -I $(GS)
SAN :=		-fsanitize=address,undefined -fno-sanitize-recover=undefined \
		-fno-omit-frame-pointer
LIBS :=		-ljansson -lmaxminddb -lpcre2-8 -lcrypto -lz

LIB_OBJS :=	$(GS_SRCS:$(GS)/%.c=build/lib/%.o)
SAN_OBJS :=	$(GS_SRCS:$(GS)/%.c=build/san/%.o)
FUZZ_OBJS :=	$(GS_SRCS:$(GS)/%.c=build/fuzzlib/%.o)
CLI_OBJS :=	$(CLI_SRCS:$(GS)/%.c=build/lib/%.o)
FAULT_OBJS :=	$(patsubst $(GS)/%.c,build/fault/%.o, \
		$(shell grep -l core/gs_fault.h $(GS)/seal/*.c $(GS)/cli/*.c)) \
		build/fault/gs_fault.o
UNITS :=	$(UNIT_SRCS:t/unit/%.c=build/unit/%)
FUZZERS :=	$(FUZZ_SRCS:fuzz/%.c=build/fuzz/%)
MICROS :=	$(MICRO_SRCS:bench/%.c=build/bench/%)
TOOLS :=	$(TOOL_SRCS:tools/%.c=build/%)

.PHONY:		all deps module lib cli programs unit-programs \
		fuzz-programs micro-programs unit test asan static valgrind \
		fuzz proof bench lint coverage docs install run \
		run-cluster stop clean help FORCE

all:		module programs

help:
	@tools/help

deps:
	@tools/deps

# The module

module:
	@tools/build module

build/ngx_govsvc_module.so: module

# The library, the command and small programs

lib:		build/libgs.a
cli:		build/govsvc
programs:	$(if $(CLI_SRCS),build/govsvc build/fault/govsvc) $(TOOLS)
unit-programs:	$(UNITS)
fuzz-programs:	$(FUZZERS)
micro-programs:	$(MICROS)

build/%.list:	FORCE
	@mkdir -p $(@D)
	@echo '$(GS_SRCS)' | cmp -s - $@ || echo '$(GS_SRCS)' > $@

build/libgs.a:	$(LIB_OBJS) build/libgs.list
	@rm -f $@
	$(SAY) AR $@
	$(Q)ar crs $@ $(LIB_OBJS)

build/san/libgs.a: $(SAN_OBJS) build/libgs.list
	@rm -f $@
	$(SAY) AR $@
	$(Q)ar crs $@ $(SAN_OBJS)

build/fuzzlib/libgs.a: $(FUZZ_OBJS) build/libgs.list
	@rm -f $@
	$(SAY) AR $@
	$(Q)ar crs $@ $(FUZZ_OBJS)

build/lib/%.o:	$(GS)/%.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

build/san/%.o:	$(GS)/%.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CFLAGS) -O1 $(SAN) -MMD -MP -c -o $@ $<

build/fuzzlib/%.o: $(GS)/%.c
	@mkdir -p $(@D)
	$(SAY) CLANG $@
	$(Q)$(CLANG) $(CFLAGS) -O1 $(SAN) -fsanitize=fuzzer-no-link -MMD -MP \
		-c -o $@ $<

build/fault/%.o: $(GS)/%.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CFLAGS) -DGS_FAULT -MMD -MP -c -o $@ $<

build/fault/gs_fault.o: t/fault/gs_fault.c
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CFLAGS) -DGS_FAULT -MMD -MP -c -o $@ $<

# killed where a test wants it to be; the points come before the library

build/fault/govsvc: $(CLI_OBJS) $(FAULT_OBJS) build/libgs.a
	$(SAY) LINK $@
	$(Q)$(CC) -Wl,--wrap=write,--wrap=clock_gettime -o $@ $(CLI_OBJS) \
		$(FAULT_OBJS) build/libgs.a $(LIBS)

build/govsvc:	$(CLI_OBJS) build/libgs.a
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $(CLI_OBJS) build/libgs.a $(LIBS)

build/%:	tools/%.c build/libgs.a
	$(SAY) CC $@
	$(Q)$(CC) $(CFLAGS) -MMD -MP -MT $@ -MF build/$*.d -o $@ $< \
		build/libgs.a $(LIBS)

build/san/tap.o: t/unit/tap.c t/unit/tap.h
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CFLAGS) -O1 $(SAN) -c -o $@ $<

build/unit/%:	t/unit/%.c build/san/tap.o build/san/libgs.a
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CFLAGS) -O1 $(SAN) -MMD -MP -MT $@ -MF $@.d -o $@ $< \
		build/san/tap.o build/san/libgs.a $(LIBS) -lpthread

build/fuzz/%:	fuzz/%.c build/fuzzlib/libgs.a
	@mkdir -p $(@D)
	$(SAY) CLANG $@
	$(Q)$(CLANG) $(CFLAGS) -O1 $(SAN) -fsanitize=fuzzer -MMD -MP -MT $@ \
		-MF $@.d -o $@ $< build/fuzzlib/libgs.a $(LIBS)

build/fuzz/redis_fuzz: LIBS += -lhiredis

build/bench/%:	bench/%.c build/libgs.a
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CFLAGS) -MMD -MP -MT $@ -MF $@.d -o $@ $< build/libgs.a \
		$(LIBS) -lpthread

.SECONDARY:

-include $(LIB_OBJS:.o=.d) $(SAN_OBJS:.o=.d) $(FUZZ_OBJS:.o=.d) \
	$(CLI_OBJS:.o=.d) $(FAULT_OBJS:.o=.d) $(UNITS:=.d) $(FUZZERS:=.d) \
	$(MICROS:=.d) $(TOOLS:=.d)

# What checks them

unit:		unit-programs
	prove -e '' $(UNITS)

test:		deps
	@$(MAKE) --no-print-directory -j$(JOBS) all unit-programs
	@tools/test

asan:		deps
	@$(MAKE) --no-print-directory -j$(JOBS) programs unit-programs
	@tools/build asan
	@GOVSVC_ASAN=1 GOVSVC_MODULE=$(CURDIR)/build/asan/ngx_govsvc_module.so \
		tools/test

static:		deps
	@tools/build static

valgrind:	deps all
	@GOVSVC_VALGRIND=1 tools/test

fuzz:		deps
	@$(MAKE) --no-print-directory -j$(JOBS) fuzz-programs
	@tools/fuzz $(FUZZ_SECONDS)

proof:		deps
	@$(MAKE) --no-print-directory -j$(JOBS) all unit-programs
	@tools/proof

bench:		deps
	@$(MAKE) --no-print-directory -j$(JOBS) all micro-programs
	@tools/bench

lint:		deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tools/lint

coverage:	deps
	@tools/coverage

docs:
	@tools/docs

# What uses them

install:	all docs
	@tools/install '$(DESTDIR)' '$(PREFIX)' '$(MODULES)'

run:		deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tools/demo start

run-cluster:	deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tools/demo-cluster start

stop:
	@tools/demo stop
	@tools/demo-cluster stop

clean:
	rm -rf build
