#include <csignal>

#include "command.hpp"

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file at its size limit makes write() fail, which is reported
  return convoy::apps::run_program({argv + (argc > 0 ? 1 : 0), argv + argc});
}
