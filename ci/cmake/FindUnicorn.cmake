# Finds Unicorn Engine: first the copy that ci/bootstrap unpacked into build/deps, then the system's.
# Defines the imported target Unicorn::unicorn. The version is read from the header, since no CMake package is shipped.
set(_bootstrapped "${PROJECT_SOURCE_DIR}/build/deps/unicorn/usr")
find_path(UNICORN_INCLUDE_DIR unicorn/unicorn.h HINTS "${_bootstrapped}/include")
find_library(UNICORN_LIBRARY unicorn HINTS "${_bootstrapped}/lib/${CMAKE_LIBRARY_ARCHITECTURE}" "${_bootstrapped}/lib")

if(UNICORN_INCLUDE_DIR)
    file(STRINGS "${UNICORN_INCLUDE_DIR}/unicorn/unicorn.h" _lines REGEX "^#define UC_(API|VERSION)_(MAJOR|MINOR|PATCH|EXTRA) +[0-9]+")
    foreach(_part MAJOR MINOR PATCH)
        string(REGEX MATCH "UC_(API|VERSION)_${_part} +([0-9]+)" _ "${_lines}")
        set(_${_part} "${CMAKE_MATCH_2}")
    endforeach()
    set(Unicorn_VERSION "${_MAJOR}.${_MINOR}.${_PATCH}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Unicorn
    REQUIRED_VARS UNICORN_LIBRARY UNICORN_INCLUDE_DIR
    VERSION_VAR Unicorn_VERSION
    REASON_FAILURE_MESSAGE
        "vmcheck needs Unicorn >= 2.1.2 (PRIV register, TLB hooks) and Debian 12 ships 2.0.1. Run ci/bootstrap: it unpacks Debian testing's into build/deps.")

if(Unicorn_FOUND AND NOT TARGET Unicorn::unicorn)
    add_library(Unicorn::unicorn SHARED IMPORTED)
    set_target_properties(Unicorn::unicorn PROPERTIES
        IMPORTED_LOCATION "${UNICORN_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${UNICORN_INCLUDE_DIR}")
endif()
