# One library per folder: its headers, its sources, what it may use, and the unit tests beside them.
#
#   forerun_library(hw HEADERS kernel.h SOURCES kernel.cpp TESTS kernel.test.cpp
#                   DEPENDS forerun::core PRIVATE nlohmann_json::nlohmann_json)
#
# makes forerun::hw and, with FORERUN_TESTS, the program hw_test. No globs: a file that is not listed
# is not in the house.
#
# -Wrestrict is off for g++ 12, which reports it for `"text" + std::string` (GCC bug 105651).
# -ffp-contract=off: a fused multiply-add rounds differently, and debug and release must agree.
function(forerun_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor
    -Wold-style-cast -Woverloaded-virtual -Wformat=2 -Wdouble-promotion -ffp-contract=off
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wuseless-cast>
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
    $<$<BOOL:${FORERUN_WERROR}>:-Werror>)
endfunction()

# All tests that .ci/run repeats under the sanitizers, and what they run.
add_custom_target(unit_tests)

# ORACLE: against another program or much data, built as it is shipped: not under the sanitizers.
function(forerun_test name)
  cmake_parse_arguments(A "ORACLE" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${PROJECT_SOURCE_DIR}/tests/doctest_main.cpp ${A_SOURCES})
  target_link_libraries(${name} PRIVATE ${A_DEPENDS} doctest::doctest fmt::fmt rapidcheck)
  forerun_warnings(${name})
  # Checks are many and run once: optimising them costs more than it saves (half of the sanitizers'
  # compile time). What they check is optimised as everywhere.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Debug>:-O0> $<$<CONFIG:Release>:-O1>)
  add_test(NAME ${name} COMMAND ${name})
  set(label unit)
  if(A_ORACLE)
    set(label oracle)
  else()
    add_dependencies(unit_tests ${name})
  endif()
  # A fixed seed: a red test stays red until its cause is found. Run the program itself for others.
  set_tests_properties(${name} PROPERTIES LABELS ${label}
    ENVIRONMENT "FORERUN_DATA=${PROJECT_SOURCE_DIR};RC_PARAMS=seed=20240229")
endfunction()

function(forerun_library name)
  cmake_parse_arguments(A "" "" "HEADERS;SOURCES;TESTS;DEPENDS;PRIVATE" ${ARGN})
  add_library(forerun_${name} STATIC ${A_SOURCES})
  add_library(forerun::${name} ALIAS forerun_${name})
  target_compile_features(forerun_${name} PUBLIC cxx_std_20)
  target_sources(forerun_${name} PUBLIC FILE_SET HEADERS
    BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${A_HEADERS})
  target_link_libraries(forerun_${name} PUBLIC ${A_DEPENDS} PRIVATE fmt::fmt ${A_PRIVATE})
  forerun_warnings(forerun_${name})
  if(FORERUN_TESTS AND A_TESTS)
    forerun_test(${name}_test SOURCES ${A_TESTS} DEPENDS forerun::${name} ${A_PRIVATE})
  endif()
endfunction()
