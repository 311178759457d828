#pragma once
// `convoy train` with the Trainer's seams for tests. The program users run installs none.

#include "command.hpp"
#include "convoy/train/observer.hpp"

namespace convoy::apps {

/// As run_train, with `hooks` handed to the Trainer.
ExitStatus run_train_with_hooks(const Arguments& arguments, const step::Hooks& hooks);

}  // namespace convoy::apps
