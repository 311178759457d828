// Preloaded under the sanitizers: MPI closes its plug-ins before the process ends. The leak report could then
// not name the plug-ins or their functions, and no suppression would match their leaks. Without closing, the
// names stay known.
int dlclose(void* handle) {
  (void)handle;
  return 0;
}
