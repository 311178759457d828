#pragma once
// The commands that make data set files: `convoy import` and `convoy synth`. Called by the table of commands
// (apps/commands.cpp).

#include "convoy/command_line/command_line.hpp"
#include "convoy/core/error.hpp"

namespace convoy::apps {

ExitStatus run_import(const Arguments& arguments);
ExitStatus run_synth(const Arguments& arguments);

}  // namespace convoy::apps
