# Fails if an object of the kernels defines a symbol that other objects may also define (weak, unique or
# common: inline functions, templates): the linker keeps one copy, which could have instructions that the
# machine lacks. Arguments: NM, OBJECTS.
if(NOT OBJECTS)
  message(FATAL_ERROR "no objects to look at (OBJECTS is empty)")
endif()
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND ${NM} --demangle ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]* [WVuC] [^\n]*" shared "${symbols}")
  # Data symbols of sanitizers and exception handling, no code.
  list(FILTER shared EXCLUDE REGEX "DW\\.ref|typeinfo |__asan|__tsan|__ubsan|__odr_asan|asan\\.module")
  if(shared)
    list(JOIN shared "\n  " shared)
    message(SEND_ERROR "${object} defines symbols that the linker may share with other code "
                       "(give them internal linkage):\n  ${shared}")
  endif()
  string(REGEX MATCHALL "[^\n]* T [^\n]*" strong "${symbols}")
  if(NOT strong MATCHES "float_table")
    message(SEND_ERROR "${object} defines no kernel table (is it the right object?)")
  endif()
endforeach()
