# Man page and completion, made by the program itself (src/apps/pages). Not of sanitizer builds, which nobody installs.
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  message(STATUS "No man page and no completion: the program is of another processor than this machine's")
elseif(NOT CONVOY_SANITIZE)
  set(pages ${PROJECT_BINARY_DIR}/pages)
  set(statuses ${PROJECT_SOURCE_DIR}/include/convoy/core/error.hpp)
  set(pages_script ${PROJECT_SOURCE_DIR}/src/apps/pages)
  add_custom_command(OUTPUT ${pages}/stamp BYPRODUCTS ${pages}/convoy.1 ${pages}/convoy.bash
    COMMAND ${pages_script} ${PROJECT_VERSION} ${statuses} ${pages}
            ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:convoy>
    COMMAND ${CMAKE_COMMAND} -E touch ${pages}/stamp
    DEPENDS convoy ${pages_script} ${statuses}
    COMMENT "Man page and completion" VERBATIM)
  add_custom_target(convoy_pages ALL DEPENDS ${pages}/stamp)
endif()
