# SPDX-License-Identifier: GPL-3.0-or-later
# What is done to the engine from outside, again and again: `make check` has time for some of it, `make check-faults` does all.
faults_tests = tests/faults/kill
check_PROGRAMS += $(faults_tests)
TESTS += $(faults_tests)
tests_faults_kill_SOURCES = tests/faults/kill.c tests/faults/kill_calls.c tests/faults/kill_calls.h tests/faults/kill_check.c tests/faults/kill_check.h \
	tests/faults/kill_decide.c tests/faults/kill_decide.h tests/faults/kill_operator.c tests/faults/kill_operator.h tests/faults/kill_outside.c \
	tests/faults/kill_outside.h tests/faults/kill_round.c tests/faults/kill_round.h tests/faults/kill_scenarios.c tests/faults/kill_scenarios.h \
	tests/faults/kill_shared.h
tests_faults_kill_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)

# All of it in one go, which may be stopped and goes on where it was: what may be set stands in tests/faults/all.
check-faults: capstan $(faults_tests) $(power_tests) tests/faults/simulate
	@$(SHELL) $(top_srcdir)/tests/faults/all '$(abs_top_builddir)'
EXTRA_DIST += tests/faults/all

# The power is cut at any point; the disk fails; there is no memory.
power_room = tests/faults/disk_tap.c tests/faults/disk_tap.h tests/faults/disk_tape.c tests/faults/disk_tape.h tests/faults/disk_image.c \
	tests/faults/power_site.c tests/faults/power_site.h tests/faults/power_plays.c tests/faults/power_plays.h \
	tests/faults/power_record.c tests/faults/power_record.h
power_tests = tests/faults/test_power tests/faults/test_bad_calls tests/faults/test_memory
check_PROGRAMS += $(power_tests)
TESTS += $(power_tests)
tests_faults_test_memory_SOURCES = tests/faults/test_memory.c tests/faults/lean_memory.c tests/faults/lean_memory.h $(power_room)
tests_faults_test_memory_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strndup,--wrap=strdup,--wrap=vasprintf,--wrap=__vasprintf_chk
tests_faults_test_memory_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
tests_faults_test_bad_calls_SOURCES = tests/faults/test_bad_calls.c $(power_room)
tests_faults_test_bad_calls_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
tests_faults_test_power_SOURCES = tests/faults/test_power.c $(power_room)
tests_faults_test_power_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
# A whole engine from one seed.
simulation_sources = tests/faults/simulation.c tests/faults/simulation.h tests/faults/sim_chance.c tests/faults/sim_chance.h tests/faults/sim_copy.c \
	tests/faults/sim_disk.c tests/faults/sim_disk.h tests/faults/sim_engine.c tests/faults/sim_net.c tests/faults/sim_net.h \
	tests/faults/sim_operator.c tests/faults/sim_rest.c tests/faults/sim_rules.c tests/faults/sim_rules.h tests/faults/sim_site.c tests/faults/sim_site.h \
	tests/core/play.c tests/core/play.h tests/core/random_flow.c
simulation_wraps = -Wl,--wrap=clock_gettime,--wrap=getrandom,--wrap=nanosleep,--wrap=cs_incarnation_place
check_PROGRAMS += tests/faults/simulate tests/faults/test_simulation
TESTS += tests/faults/test_simulation
tests_faults_simulate_SOURCES = tests/faults/simulate.c $(simulation_sources)
tests_faults_simulate_LDFLAGS = $(simulation_wraps)
tests_faults_simulate_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
tests_faults_test_simulation_SOURCES = tests/faults/test_simulation.c $(simulation_sources)
tests_faults_test_simulation_LDFLAGS = $(simulation_wraps)
tests_faults_test_simulation_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)

# A bad network between the engine and the ledger.
check_PROGRAMS += tests/faults/test_bad_net
TESTS += tests/faults/test_bad_net
tests_faults_test_bad_net_SOURCES = tests/faults/test_bad_net.c tests/faults/net_proxy.c tests/faults/net_proxy.h tests/faults/net_faults.c tests/faults/net_faults.h
tests_faults_test_bad_net_LDADD = $(LDADD) tests/support/libsupport.a $(LDADD)
