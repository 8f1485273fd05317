# Builds one kernel. Run as a script:
#
#     cmake -D COMPILER=... -D SOURCE=... -D OUTPUT=... -D TRAITS=cow-lazy -P build_kernel.cmake
#     cmake -D COMPILER=... -D SOURCE=... -D OUTPUT=... -D PATCH=mutants/NN-name.patch -D KERNELS=... -P build_kernel.cmake
#
# SOURCE is the directory of this file. TRAITS is the name of a profile or vintage of vintages.cmake. Leaves OUTPUT/kernel,
# OUTPUT/kernel.map and the objects. With PATCH, one or several, a copy of the source in OUTPUT/source is patched and
# compiled, and the traits, unless they are given, are those that the patch names in its header. What the patch leaves alone is taken from KERNELS/<traits>, which
# is built already; a patch of a header changes everything.
cmake_minimum_required(VERSION 3.25)
include("${SOURCE}/sources.cmake")
include("${SOURCE}/toolchain.cmake")
include("${SOURCE}/vintages.cmake")

set(tree "${SOURCE}")
if(PATCH)
    if(NOT TRAITS)
        file(STRINGS "${PATCH}" profile_line REGEX "^profile: ")
        string(REGEX REPLACE "^profile: *" "" TRAITS "${profile_line}")
    endif()
    set(tree "${OUTPUT}/source")
    file(REMOVE_RECURSE "${tree}")
    foreach(file IN LISTS kernel_sources kernel_headers ITEMS kernel.ld)
        get_filename_component(directory "${tree}/${file}" DIRECTORY)
        file(COPY "${SOURCE}/${file}" DESTINATION "${directory}")
    endforeach()
    foreach(patch IN LISTS PATCH)
        execute_process(COMMAND patch --quiet --strip=1 --fuzz=0 --batch --forward --input=${patch}
            WORKING_DIRECTORY "${tree}" RESULT_VARIABLE result)
        if(NOT result EQUAL 0)
            message(FATAL_ERROR "${patch} does not apply to the kernel any more")
        endif()
    endforeach()
    list(APPEND kernel_flags -w)  # a warning may well be right about a planted defect
endif()

if(NOT DEFINED "traits_${TRAITS}")
    message(FATAL_ERROR "'${TRAITS}' is none of ${kernel_profiles} ${kernel_vintages}")
endif()
list(TRANSFORM "traits_${TRAITS}" PREPEND "-D" OUTPUT_VARIABLE switches)

set(to_compile ${kernel_sources})
if(PATCH)
    set(patched)
    foreach(patch IN LISTS PATCH)
        file(STRINGS "${patch}" names REGEX "^\\+\\+\\+ b/")
        list(APPEND patched ${names})
    endforeach()
    list(TRANSFORM patched REPLACE "^\\+\\+\\+ b/([^ \t]*).*" "\\1")
    set(only_sources TRUE)
    foreach(file IN LISTS patched)
        if(NOT file IN_LIST kernel_sources)
            set(only_sources FALSE)
        endif()
    endforeach()
    if(patched AND only_sources)
        set(to_compile ${patched})
    endif()
endif()

set(objects)
foreach(source IN LISTS kernel_sources)
    string(REPLACE "/" "-" name "${source}")
    set(object "objects/${name}.o")
    if(source IN_LIST to_compile)
        file(MAKE_DIRECTORY "${OUTPUT}/objects")
        execute_process(
            COMMAND "${COMPILER}" ${guest_flags} ${kernel_flags} ${switches} -I. -ffile-prefix-map=${tree}=kernel
                -c "${source}" -o "${OUTPUT}/${object}"
            WORKING_DIRECTORY "${tree}" RESULT_VARIABLE result)
        if(NOT result EQUAL 0)
            message(FATAL_ERROR "the kernel in ${OUTPUT} does not compile")
        endif()
        list(APPEND objects "${OUTPUT}/${object}")
    else()
        list(APPEND objects "${KERNELS}/${TRAITS}/${object}")
    endif()
endforeach()
execute_process(COMMAND "${COMPILER}" ${guest_flags} ${kernel_flags} -T kernel.ld ${objects} -o "${OUTPUT}/kernel"
    WORKING_DIRECTORY "${tree}" RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "the kernel in ${OUTPUT} does not link")
endif()
file(COPY_FILE "${SOURCE}/vmcheck.map" "${OUTPUT}/kernel.map")
