# What `cmake --install` lays down, and the package that find_package(convoy) reads. Two components: runtime, what
# those who train need, and development, what those who build programs on the rooms need.
#
# The rooms are static libraries, so whoever links one also links what the room uses in private (xxhash, HDF5, MPI...).
# Those names stand in the exported targets as they are; the installed dependencies.cmake finds them again there.

include(CMakePackageConfigHelpers)

get_property(convoy_rooms GLOBAL PROPERTY CONVOY_ROOMS)
set(convoy_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/convoy)

install(TARGETS ${convoy_rooms} EXPORT convoy_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  COMPONENT development)
install(EXPORT convoy_targets NAMESPACE convoy:: FILE convoyTargets.cmake DESTINATION ${convoy_package_dir}
  COMPONENT development)
# The rooms launch, command_line, import_commands and apps are the program's own (apps has no public header at all); lanes
# and convolution are parts of kernels.
install(DIRECTORY include/convoy DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h" PATTERN "*.inc" PATTERN launch EXCLUDE PATTERN command_line EXCLUDE PATTERN import_commands EXCLUDE PATTERN lanes EXCLUDE PATTERN convolution EXCLUDE)

configure_package_config_file(src/cmake/convoyConfig.cmake.in ${PROJECT_BINARY_DIR}/package/convoyConfig.cmake
  INSTALL_DESTINATION ${convoy_package_dir} PATH_VARS CMAKE_INSTALL_DATADIR NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/convoyConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/convoyConfig.cmake
              ${PROJECT_BINARY_DIR}/package/convoyConfigVersion.cmake
              src/cmake/dependencies.cmake src/cmake/mpi_of_hdf5.cmake
        DESTINATION ${convoy_package_dir} COMPONENT development)

# For makefiles, C and Fortran: the rooms of the library with all that they need.
if(TARGET convoy_library)
  set(convoy_pc_rooms ${convoy_rooms})
  list(REMOVE_ITEM convoy_pc_rooms convoy_apps convoy_import_commands convoy_command_line convoy_verify convoy_importers convoy_folders
    convoy_dataset_file convoy_arrays convoy_launch convoy_doctor convoy_measure convoy_check convoy_exchange)
  list(TRANSFORM convoy_pc_rooms PREPEND -l)
  list(JOIN convoy_pc_rooms " " convoy_pc_rooms)
  set(convoy_pc_libraries ${HDF5_C_LIBRARIES} ${MPI_C_LIBRARIES} ${PNG_LIBRARIES} ${JPEG_LIBRARIES} ${ZLIB_LIBRARIES}
    ${convoy_image_files}
    ${HWLOC_LIBRARY} ${XXHASH_LIBRARY} ${LIBDEFLATE_LIBRARY} ${LZ4_LIBRARY} ${ZSTD_LIBRARY} ${BLOSC_LIBRARY}
    ${BZ2_LIBRARY} -lfmt)
  list(FILTER convoy_pc_libraries EXCLUDE REGEX "NOTFOUND$|^OFF$")
  # Where HDF5 was found by its own package, its libraries are targets.
  foreach(library IN LISTS convoy_pc_libraries)
    if(TARGET ${library})
      get_target_property(location ${library} LOCATION)
      list(TRANSFORM convoy_pc_libraries REPLACE "^${library}$" "${location}")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES convoy_pc_libraries)
  list(JOIN convoy_pc_libraries " " convoy_pc_libraries)
  file(RELATIVE_PATH convoy_pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(src/cmake/convoy.pc.in ${PROJECT_BINARY_DIR}/package/convoy.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/package/convoy.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endif()

install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DATADIR}/convoy COMPONENT runtime PATTERN README.md EXCLUDE)
# The quick start and the recipes for installing begin from the source, so they stay with it.
install(DIRECTORY jobs DESTINATION ${CMAKE_INSTALL_DATADIR}/convoy USE_SOURCE_PERMISSIONS COMPONENT runtime
  PATTERN quickstart EXCLUDE PATTERN packages.sh EXCLUDE PATTERN install EXCLUDE PATTERN README.md EXCLUDE)
install(FILES LICENSE CHANGELOG.md README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)
# In the folders of the source, so that the links between documents hold.
foreach(document configs/README.md jobs/README.md jobs/install/README.md tests/README.md src/CONTRACT.md src/LIBRARY.md src/README.md)
  get_filename_component(folder ${document} DIRECTORY)
  install(FILES ${document} DESTINATION ${CMAKE_INSTALL_DOCDIR}/${folder} COMPONENT runtime)
endforeach()

# The Fortran module as source: module files differ between compilers.
install(FILES src/library/convoy.f90 DESTINATION ${CMAKE_INSTALL_DATADIR}/convoy/fortran COMPONENT development)

# The program. Its room is the only one that need not be there: the library stands without it.
if(TARGET convoy)
  install(TARGETS convoy RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
endif()
if(TARGET convoy_pages)
  # Not there where the build's machine could not run the program.
  install(FILES ${PROJECT_BINARY_DIR}/pages/convoy.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT runtime OPTIONAL)
  install(FILES ${PROJECT_BINARY_DIR}/pages/convoy.bash RENAME convoy
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT runtime OPTIONAL)
endif()

# A module file for Environment Modules and Lmod. The folder is known only when it is installed (--prefix); what lies in
# /usr needs none.
install(CODE "set(version ${PROJECT_VERSION})
  set(bin ${CMAKE_INSTALL_BINDIR})
  set(man ${CMAKE_INSTALL_MANDIR})
  set(modulefile ${CMAKE_INSTALL_DATADIR}/convoy/modulefiles/convoy/${PROJECT_VERSION})
  set(template ${PROJECT_SOURCE_DIR}/jobs/install/modulefile.in)" COMPONENT runtime)
install(CODE [[
  if(NOT CMAKE_INSTALL_PREFIX MATCHES "^/usr/?$")
    get_filename_component(prefix "${CMAKE_INSTALL_PREFIX}" ABSOLUTE)
    message(STATUS "Installing: ${CMAKE_INSTALL_PREFIX}/${modulefile}")
    configure_file(${template} $ENV{DESTDIR}${prefix}/${modulefile} @ONLY)
  endif()]] COMPONENT runtime)
