# The test of the package: installs the build, builds the example with it, and runs that on two kernels.
# BUILD: of vmcheck. WORK: a directory of its own. MUTANT: a kernel whose fork leaves W with the parent.
function(run)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE "${WORK}")
run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/prefix")
run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/build" -G Ninja
    -D "CMAKE_PREFIX_PATH=${WORK}/prefix" -D "CMAKE_CXX_COMPILER=${COMPILER}"
    -D "CMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" -D "CMAKE_CXX_FLAGS=${FLAGS}")
run("${CMAKE_COMMAND}" --build "${WORK}/build")

set(ENV{RC_PARAMS} "seed=1")
run("${WORK}/build/properties")

set(ENV{VMCHECK_KERNEL} "${MUTANT}")
execute_process(COMMAND "${WORK}/build/properties" OUTPUT_VARIABLE output RESULT_VARIABLE code)
message("${output}")
if(code EQUAL 0)
    message(FATAL_ERROR "no property was broken by ${MUTANT}")
endif()
# One of the two is, and what breaks it is one step.
if(NOT output MATCHES "profile cow eager\np0 fork p1\n\n" OR NOT output MATCHES "OK \\] Frames_RapidCheck.ThatAreMappedAreNotFree")
    message(FATAL_ERROR "that is not what ${MUTANT} breaks")
endif()
