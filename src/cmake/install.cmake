# What `cmake --install` lays down, and the package that find_package(convoy) reads.
#
# The rooms are static libraries, so whoever links one also links what the room uses in private (xxhash, HDF5, MPI...).
# Those names stand in the exported targets as they are; the installed dependencies.cmake finds them again there.

include(CMakePackageConfigHelpers)

get_property(convoy_rooms GLOBAL PROPERTY CONVOY_ROOMS)
set(convoy_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/convoy)

install(TARGETS ${convoy_rooms} EXPORT convoy_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT convoy_targets NAMESPACE convoy:: FILE convoyTargets.cmake DESTINATION ${convoy_package_dir})
install(DIRECTORY include/convoy DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")

configure_package_config_file(src/cmake/convoyConfig.cmake.in ${PROJECT_BINARY_DIR}/package/convoyConfig.cmake
  INSTALL_DESTINATION ${convoy_package_dir} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/convoyConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/convoyConfig.cmake
              ${PROJECT_BINARY_DIR}/package/convoyConfigVersion.cmake
              src/cmake/dependencies.cmake src/cmake/mpi_of_hdf5.cmake
        DESTINATION ${convoy_package_dir})

install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DATADIR}/convoy)
# The quick start builds from source, so it stays with the source.
install(DIRECTORY jobs DESTINATION ${CMAKE_INSTALL_DATADIR}/convoy USE_SOURCE_PERMISSIONS
  PATTERN quickstart EXCLUDE PATTERN packages.sh EXCLUDE)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The program. Its room is the only one that need not be there: the library stands without it.
if(TARGET convoy)
  install(TARGETS convoy RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
