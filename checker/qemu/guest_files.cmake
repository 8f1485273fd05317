# guest_files.cpp: the files of guest/ as string literals.
set(guest_files)
foreach(file IN ITEMS
        ../gdb/vmcheck.py start.S program.ld library.c init.c echo.c include/kernel/fcntl.h include/kernel/memlayout.h
        include/kernel/riscv.h include/kernel/stat.h include/kernel/syscall.h include/kernel/types.h include/user/user.h)
    set(path "${CMAKE_CURRENT_SOURCE_DIR}/qemu/guest/${file}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
    file(READ "${path}" text)
    string(REPLACE "../gdb/" "" file "${file}")
    string(APPEND guest_files "        GuestFile{\"${file}\", R\"guest(${text})guest\"},\n")
endforeach()
configure_file(qemu/guest_files.cpp.in "${CMAKE_CURRENT_BINARY_DIR}/guest_files.cpp" @ONLY)
