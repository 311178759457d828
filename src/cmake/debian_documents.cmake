# Called by CPack on what it is about to pack, as Debian's packages want it: the licence as `copyright` and a Debian
# changelog in every package, man page and changelog compressed.
if(NOT CPACK_GENERATOR STREQUAL DEB)
  return()
endif()
find_program(gzip gzip REQUIRED)
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)  # SOURCE_DATE_EPOCH, where it is set
file(GLOB components ${CPACK_TEMPORARY_DIRECTORY}/*)
foreach(component IN LISTS components)
  get_filename_component(name ${component} NAME)
  string(TOUPPER ${name} name)
  set(package ${CPACK_DEBIAN_${name}_PACKAGE_NAME})
  set(documents ${component}/usr/share/doc/${package})
  file(MAKE_DIRECTORY ${documents})
  file(COPY_FILE ${CPACK_RESOURCE_FILE_LICENSE} ${documents}/copyright)
  file(REMOVE ${documents}/LICENSE)
  file(WRITE ${documents}/changelog
    "${package} (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium\n\n"
    "  * Made by CPack; Convoy's own list of changes is CHANGELOG.md.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  ${now}\n")
  file(GLOB texts ${documents}/changelog ${component}/usr/share/man/man1/*.1)
  foreach(text IN LISTS texts)
    execute_process(COMMAND ${gzip} -9 -n ${text} COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endforeach()
