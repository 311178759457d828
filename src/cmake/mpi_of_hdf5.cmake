# One MPI for HDF5 and for us. Two MPI libraries in one program have the same names for different things: it links, and
# crashes or hangs where the first communicator reaches HDF5.

# convoy_prefer_mpi_of_hdf5(): has FindMPI begin with the compiler that HDF5's own wrapper (h5pcc) calls, and with the
# launcher beside it, where nobody chose others. Debian calls them mpicc.openmpi, mpicc.mpich and so on.
function(convoy_prefer_mpi_of_hdf5)
  if(NOT HDF5_C_COMPILER_EXECUTABLE OR MPI_HOME OR MPI_ROOT OR DEFINED ENV{MPI_HOME} OR DEFINED ENV{MPI_ROOT})
    return()
  endif()
  execute_process(COMMAND ${HDF5_C_COMPILER_EXECUTABLE} -show OUTPUT_VARIABLE line ERROR_QUIET)
  if(NOT line MATCHES "^([^ \n]*/)?(mpicc[^ \n]*)")
    return()
  endif()
  set(folder ${CMAKE_MATCH_1})
  set(compiler ${CMAKE_MATCH_2})
  string(REPLACE mpicc mpiexec launcher ${compiler})
  find_program(MPI_C_COMPILER NAMES ${compiler} HINTS ${folder})
  find_program(MPIEXEC_EXECUTABLE NAMES ${launcher} HINTS ${folder})
  foreach(found IN ITEMS MPI_C_COMPILER MPIEXEC_EXECUTABLE)
    if(NOT ${found})
      unset(${found} CACHE)  # FindMPI has more places to look in
    endif()
  endforeach()
endfunction()

# convoy_check_mpi_of_hdf5(): an error where the HDF5 found needs another MPI library than the one found. Says nothing
# where that cannot be seen: static libraries, or compilers that know their MPI by themselves.
function(convoy_check_mpi_of_hdf5)
  if(NOT CMAKE_OBJDUMP)
    return()
  endif()
  set(needed "")
  foreach(library IN LISTS HDF5_C_LIBRARIES)
    if(library MATCHES "/libhdf5[^/]*\\.so" AND EXISTS ${library})
      execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${library} OUTPUT_VARIABLE header ERROR_QUIET)
      string(REGEX MATCHALL "NEEDED +libmpi(ch|_[a-z]+[_0-9]*)?\\.so[.0-9]*" lines "${header}")
      list(TRANSFORM lines REPLACE "NEEDED +" "")
      list(APPEND needed ${lines})
      set(hdf5 ${library})
    endif()
  endforeach()
  set(found "")
  foreach(library IN LISTS MPI_C_LIBRARIES)
    if(library MATCHES "\\.so" AND EXISTS ${library})
      execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${library} OUTPUT_VARIABLE header ERROR_QUIET)
      if(header MATCHES "SONAME +([^ \n]+)")
        list(APPEND found ${CMAKE_MATCH_1})
      endif()
    endif()
  endforeach()
  if(needed AND found)
    foreach(name IN LISTS needed)
      if(name IN_LIST found)
        return()
      endif()
    endforeach()
    list(JOIN needed ", " needed)
    message(FATAL_ERROR
      "HDF5 and MPI do not fit each other: ${hdf5} was built with another MPI (it needs ${needed}) than the one found "
      "(${MPI_C_LIBRARIES}). Choose one MPI for both: HDF5 by HDF5_C_COMPILER_EXECUTABLE (its h5pcc), MPI by "
      "MPI_C_COMPILER (Debian: h5pcc.openmpi and mpicc.openmpi, or h5pcc.mpich and mpicc.mpich)")
  endif()
endfunction()
