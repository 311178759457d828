# Toolchain: Debian's cross compiler for AArch64 (package g++-aarch64-linux-gnu), and qemu-user to run what it makes.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

# Libraries and packages of the machine we build on are of the wrong processor; its headers and programs will do.
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

find_program(CONVOY_QEMU_AARCH64 NAMES qemu-aarch64 qemu-aarch64-static)
if(CONVOY_QEMU_AARCH64)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${CONVOY_QEMU_AARCH64} -L ${CMAKE_FIND_ROOT_PATH})
endif()
