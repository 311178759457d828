#pragma once
// `convoy train` with the Trainer's test hooks. The installed program uses no hooks.

#include "command.hpp"
#include "convoy/train/observer.hpp"

namespace convoy::apps {

/// As run_train, but passes `hooks` to the Trainer.
ExitStatus run_train_with_hooks(const Arguments& arguments, const step::Hooks& hooks);

}  // namespace convoy::apps
