# Builds one kernel. Run as a script:
#
#     cmake -D COMPILER=... -D SOURCE=... -D OUTPUT=... -D TRAITS=cow-lazy -P build_kernel.cmake
#     cmake -D COMPILER=... -D SOURCE=... -D OUTPUT=... -D PATCH=mutants/NN-name.patch -P build_kernel.cmake
#
# SOURCE is the directory of this file. TRAITS is the name of a profile or vintage of vintages.cmake. Leaves OUTPUT/kernel
# and OUTPUT/kernel.map. With PATCH, a copy of the source in OUTPUT/source is patched and compiled, and the traits are
# those that the patch names in its header.
cmake_minimum_required(VERSION 3.25)
include("${SOURCE}/sources.cmake")
include("${SOURCE}/toolchain.cmake")
include("${SOURCE}/vintages.cmake")

set(tree "${SOURCE}")
if(PATCH)
    file(STRINGS "${PATCH}" profile_line REGEX "^profile: ")
    string(REGEX REPLACE "^profile: *" "" TRAITS "${profile_line}")
    set(tree "${OUTPUT}/source")
    file(REMOVE_RECURSE "${tree}")
    foreach(file IN LISTS kernel_sources kernel_headers ITEMS kernel.ld)
        get_filename_component(directory "${tree}/${file}" DIRECTORY)
        file(COPY "${SOURCE}/${file}" DESTINATION "${directory}")
    endforeach()
    execute_process(COMMAND patch --quiet --strip=1 --fuzz=0 --batch --forward --input=${PATCH}
        WORKING_DIRECTORY "${tree}" RESULT_VARIABLE result)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "${PATCH} does not apply to the kernel any more")
    endif()
    list(APPEND kernel_flags -w)  # a warning may well be right about a planted defect
endif()

if(NOT DEFINED "traits_${TRAITS}")
    message(FATAL_ERROR "'${TRAITS}' is none of ${kernel_profiles} ${kernel_vintages}")
endif()
list(TRANSFORM "traits_${TRAITS}" PREPEND "-D" OUTPUT_VARIABLE switches)

file(MAKE_DIRECTORY "${OUTPUT}")
execute_process(
    COMMAND "${COMPILER}" ${guest_flags} ${kernel_flags} ${switches} -I. -ffile-prefix-map=${tree}=kernel -T kernel.ld ${kernel_sources} -o "${OUTPUT}/kernel"
    WORKING_DIRECTORY "${tree}" RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "the kernel in ${OUTPUT} does not compile")
endif()
file(COPY_FILE "${SOURCE}/vmcheck.map" "${OUTPUT}/kernel.map")
