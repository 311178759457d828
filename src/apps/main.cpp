#include "convoy/apps/command.hpp"

int main(int argc, char** argv) {
  return convoy::apps::run_program({argv + (argc > 0 ? 1 : 0), argv + argc});
}
