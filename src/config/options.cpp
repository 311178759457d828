// Converts settings to Options and back, using the table of keys.

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>

#include "convoy/config/config.hpp"
#include "convoy/config/keys.hpp"
#include "convoy/config/suggest.hpp"
#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "effective_settings.hpp"

namespace convoy::config {
namespace {

Key known_key(const Setting& setting) {
  if (std::optional<Key> key = find_key(setting.key)) return *std::move(key);
  throw ConfigError(fmt::format("{}: unknown key {}{}; 'convoy train --help' lists all keys", setting.origin,
                                setting.key, suggest_key(setting.key)));
}

/// Advice for a value in quotes, which are ordinary characters here.
std::string of_quotes(std::string_view value) {
  const bool is_quoted =
      value.size() > 1 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
  return is_quoted ? " (the quotes count as part of it; leave them out)" : "";
}

void apply(const std::vector<Setting>& source, Options& options, EffectiveSettings& effective) {
  EffectiveSettings seen;
  for (Setting setting : source) {
    setting.value = trim(setting.value);
    const Key key = known_key(setting);
    if (setting.value.empty()) throw ConfigError(shown(setting) + " has no value; expected " + key.allowed);
    if (setting.value.find_first_of("\n\r") != std::string::npos)
      throw ConfigError(shown(setting) + " holds a line break (a value is one line)");
    const auto [first, is_new] = seen.emplace(setting.key, setting);
    if (!is_new && key.times == Times::kOnce && setting.origin != kCommandLine) {
      throw ConfigError(fmt::format("{} is set twice (before at {}); leave one of the two", shown(setting),
                                    first->second.origin));
    }
    if (is_new && key.times == Times::kOrdered) options.layers.clear();
    if (!key.read(options, setting.value, setting.origin))
      throw ConfigError(shown(setting) + " is not " + key.allowed + key.advice + of_quotes(setting.value));
    effective.insert_or_assign(setting.key, setting);
  }
}

/// What the Options are for: trials compute without writing into run.dir.
enum class Purpose { kTraining, kTrial, kPart, kCheckpoint, kLibrary };

void check_complete(const EffectiveSettings& effective, Purpose purpose) {
  std::vector<std::string> missing;
  for (const Key& key : keys()) {
    const bool is_needed =
        key.need == Need::kAlways ||
        (key.need == Need::kForTraining &&
         (purpose == Purpose::kTraining || (purpose == Purpose::kTrial && key.name != "run.dir")));
    if (is_needed && !effective.contains(key.name)) missing.push_back(key.name);
  }
  if (missing.empty()) return;
  throw ConfigError(
      fmt::format("missing {} (there is no default); set it in a --config file or as --{} VALUE",
                  join(missing, ", "), missing.front()));
}

/// Checks the keys for data files of other formats.
void check_data(const Options& options, const EffectiveSettings& effective) {
  const data::Paths& paths = options.data.train;
  if (paths.images.empty()) {
    for (const char* key :
         {"data.labels", "data.labels-file", "data.targets", "data.targets-file", "data.layout", "data.shape",
          "data.test-file", "data.test-images", "data.test-labels", "data.test-labels-file",
          "data.test-targets", "data.test-targets-file"}) {
      const bool is_default =
          std::string_view(key) == "data.layout" && options.data.axes == data::Axes::kNchw;
      if (effective.contains(key) && !is_default)
        throw ConfigError(shown(effective.at(key)) +
                          " needs data.images (without it, data.file is a data set made by import or "
                          "synth, which tells all this itself)");
    }
    return;
  }
  if (paths.labels.empty() == paths.targets.empty()) {
    throw ConfigError(fmt::format("{} needs one of data.labels (classes) and data.targets (numbers); {}",
                                  shown(effective.at("data.images")),
                                  paths.labels.empty() ? "there is none" : "leave one out"));
  }
  if (paths.targets.empty() ? !paths.targets_file.empty() : !paths.labels_file.empty())
    throw ConfigError(shown(effective.at(paths.targets.empty() ? "data.targets-file" : "data.labels-file")) +
                      (paths.targets.empty() ? " needs data.targets (data.labels is set)"
                                             : " needs data.labels (data.targets is set)") +
                      "; leave it out");
  if (paths.targets.empty() ? !options.data.test.targets.empty() : !options.data.test.labels.empty())
    throw ConfigError(shown(effective.at("data.images")) +
                      " has labels in one split and targets in the other; both should have the same");
  if (!paths.targets.empty() && !nn::takes_targets(options.loss.kind)) {
    throw ConfigError(shown(effective.at("network.loss")) +
                      " needs classes (data.targets gives numbers); set network.loss to " +
                      std::string(nn::kLossesOfTargets));
  }
}

/// Refuses a key that has no effect beside another: with `chosen` ("network.loss is quadratic"), only
/// `readers` read it.
void refuse_unread(const EffectiveSettings& effective, const std::string& key, const std::string& chosen,
                   std::string_view readers) {
  throw ConfigError(fmt::format("{} has no effect ({}, and only {} reads it); leave it out",
                                shown(effective.at(key)), chosen, readers));
}

void check_loss(const Options& options, const EffectiveSettings& effective) {
  const nn::LossFunction& loss = options.loss;
  const nn::LossFunction unset;
  const auto chosen = fmt::format("network.loss is {}", nn::to_string(loss.kind));
  if (loss.huber_delta != unset.huber_delta && loss.kind != nn::LossKind::kHuber)
    refuse_unread(effective, "network.huber-delta", chosen, "huber");
  if (loss.label_smoothing > 0 && loss.kind != nn::LossKind::kSoftmaxCrossEntropy)
    refuse_unread(effective, "network.label-smoothing", chosen, "softmax-cross-entropy");
  if (loss.focal_gamma > 0 && nn::takes_targets(loss.kind))
    refuse_unread(effective, "network.focal-gamma", chosen, "softmax- or sigmoid-cross-entropy");
  if (loss.label_smoothing > 0 && loss.focal_gamma > 0)
    throw ConfigError(
        shown(effective.at("network.focal-gamma")) +
        " cannot be used with network.label-smoothing (the focal factor is defined for one true "
        "class); leave one of the two out");
}

/// The keys of a schedule that has to be told when or how its rate changes.
void check_schedule(const Options& options, const EffectiveSettings& effective) {
  using optim::ScheduleKind;
  const optim::ScheduleOptions& schedule = options.schedule;
  const optim::ScheduleOptions unset;
  const auto is = [&](auto... kinds) { return ((schedule.kind == kinds) || ...); };
  if (is(ScheduleKind::kStep) && schedule.step_epochs.empty() == (schedule.step_every == 0)) {
    throw ConfigError(shown(effective.at("schedule.name")) +
                      " needs one of schedule.step-epochs and schedule.step-every (" +
                      (schedule.step_every == 0 ? "there is none" : "both are set") +
                      "); set e.g. step-epochs = 80 120");
  }
  const bool rises = is(ScheduleKind::kOneCycle, ScheduleKind::kTriangular);
  if (rises && schedule.warmup_epochs > 0)
    throw ConfigError(
        shown(effective.at("schedule.warmup-epochs")) +
        fmt::format(" cannot be used with schedule.name = {} (it begins with a rise of its own, "
                    "up to schedule.peak); leave it out",
                    optim::to_string(schedule.kind)));
  const auto chosen = fmt::format("schedule.name is {}", optim::to_string(schedule.kind));
  const auto only = [&](const char* key, bool is_set, bool is_read, const char* readers) {
    if (is_set && !is_read) refuse_unread(effective, key, chosen, readers);
  };
  only("schedule.step-every", schedule.step_every > 0, is(ScheduleKind::kStep), "step");
  only("schedule.restart-epochs", schedule.restart_epochs > 0, is(ScheduleKind::kCosine), "cosine");
  only("schedule.restart-factor", schedule.restart_factor != 1, schedule.restart_epochs > 0,
       "cosine with restart-epochs");
  only("schedule.power", schedule.power != unset.power, is(ScheduleKind::kPolynomial), "polynomial");
  only("schedule.peak", schedule.peak != unset.peak, rises, "one-cycle or triangular");
  only("schedule.start-factor", schedule.start_factor != unset.start_factor, rises,
       "one-cycle or triangular");
  only("schedule.end-factor", schedule.end_factor != unset.end_factor, rises, "one-cycle or triangular");
  only("schedule.anneal", schedule.anneal != unset.anneal, is(ScheduleKind::kOneCycle), "one-cycle");
  const bool is_plateau = is(ScheduleKind::kPlateau);
  only("schedule.metric", schedule.plateau.metric != unset.plateau.metric, is_plateau, "plateau");
  only("schedule.patience", schedule.plateau.patience != unset.plateau.patience, is_plateau, "plateau");
  only("schedule.threshold", schedule.plateau.threshold != unset.plateau.threshold, is_plateau, "plateau");
  if (is_plateau && schedule.step_factor >= 1)
    throw ConfigError(shown(effective.at("schedule.step-factor")) +
                      " would not reduce the rate (schedule.name is plateau); set it below 1");
  if (is_plateau && schedule.final_lr > schedule.lr)
    throw ConfigError(shown(effective.at("schedule.final-lr")) +
                      " is above schedule.lr (of plateau it is the least rate); set it below");
  if (schedule.base_batch != unset.base_batch && schedule.scaling == optim::BatchScaling::kNone)
    refuse_unread(effective, "schedule.base-batch", "schedule.scale-lr is none", "linear or sqrt");
}

/// Checks that need more than one key.
void check_together(Options& options, const EffectiveSettings& effective) {
  check_optimizer(options, effective);
  if (options.comm.reduction == comm::Reduction::kMpi && options.comm.wire != comm::Wire::kFloat32) {
    throw ConfigError(shown(effective.at("comm.wire")) +
                      " needs comm.reduction = tree (MPI adds in fp32); leave one of the two out");
  }
  if (options.checkpoint_gzip > 0 && options.checkpoint_writers != model::Writers::kOne) {
    throw ConfigError(shown(effective.at("checkpoint.gzip")) +
                      " needs checkpoint.writers = one (a chunk is compressed by one rank); leave one of the "
                      "two out");
  }
  if (options.patience > 0 && options.best == model::BestBy::kNone) {
    throw ConfigError(shown(effective.at("train.patience")) +
                      " needs checkpoint.best (it is none); set it to loss or accuracy");
  }
  check_loss(options, effective);
  check_schedule(options, effective);
  check_data(options, effective);
  if (!effective.contains("train.micro-batch"))
    options.micro_batch = std::min(options.micro_batch, options.batch);
  if (options.micro_batch > options.batch) {
    throw ConfigError(fmt::format("{} is larger than train.batch, {}; set it to at most that",
                                  shown(effective.at("train.micro-batch")), grouped(options.batch)));
  }
}

/// network.outputs: the last layer with weights gets so many outputs.
void set_outputs(Options& options, const EffectiveSettings& effective) {
  if (options.outputs == 0) return;
  for (auto layer = options.layers.rbegin(); layer != options.layers.rend(); ++layer) {
    std::vector<std::string> words = split_words(layer->text);
    if (words.size() < 2 || (words[0] != "dense" && words[0] != "conv")) continue;
    words[1] = std::to_string(options.outputs);
    layer->text = join(words, " ");
    return;
  }
  throw ConfigError(shown(effective.at("network.outputs")) + " needs a dense or conv layer (there is none)");
}

Options assemble(const std::vector<std::vector<Setting>>& sources, Purpose purpose) {
  Options options;
  EffectiveSettings effective;
  for (const std::vector<Setting>& source : sources) apply(source, options, effective);
  if (purpose == Purpose::kPart) return options;  // what is missing may fit
  check_complete(effective, purpose);
  set_outputs(options, effective);
  check_together(options, effective);
  return options;
}

}  // namespace

Options make_options(const std::vector<std::vector<Setting>>& sources) {
  return assemble(sources, Purpose::kTraining);
}

Options make_library_options(const std::vector<std::vector<Setting>>& sources) {
  return assemble(sources, Purpose::kLibrary);
}

Options load(const std::vector<std::string>& files, const std::vector<Setting>& command_line, For what) {
  std::vector<std::vector<Setting>> sources;
  for (const std::string& file : files) sources.push_back(read_ini_file(file));
  sources.push_back(command_line);
  return assemble(sources, what == For::kRun     ? Purpose::kTraining
                           : what == For::kTrial ? Purpose::kTrial
                                                 : Purpose::kPart);
}

Options from_checkpoint(std::string_view text, const std::string& file) {
  try {
    return assemble({read_ini(text, "checkpoint " + file)}, Purpose::kCheckpoint);
  } catch (const ConfigError& error) {
    throw DataError(
        fmt::format("the configuration stored in checkpoint {} is wrong ({})", file, error.what()));
  }
}

namespace {

std::vector<std::string> group_names(const Options& options) {
  std::vector<std::string> names;
  for (const optim::ParameterGroup& group : options.parameter_groups) names.push_back(group.name);
  return names;
}

}  // namespace

std::string effective_ini(const Options& options) {
  std::string text;
  std::string section;
  for (const Key& key : keys_of(group_names(options))) {
    if (key.section() != section) {
      if (!section.empty()) text += '\n';
      section = key.section();
      text += "[" + section + "]\n";
    }
    for (const std::string& value : key.write(options)) {
      if (value.empty()) continue;  // a path that is not set
      const bool is_writable = value.find('#') == std::string::npos;
      if (!is_writable)
        text += "# for --" + key.name + " on the command line (a '#' begins a comment here): ";
      text += fmt::format("{} = {}\n", key.short_name(), value);
    }
  }
  return text;
}

namespace {

/// As in an INI text: without indentation of layers.
std::string joined(const std::vector<std::string>& values) {
  std::vector<std::string> trimmed;
  for (const std::string& value : values) trimmed.emplace_back(trim(value));
  return join(trimmed, " | ");
}

/// The effect of a key that is not in the table: kBits, unless its section is known and has no key with
/// kBits.
Effect effect_of_unknown(const std::string& name) {
  const std::string section = name.substr(0, name.find('.') + 1);
  bool is_known_section = false;
  for (const Key& key : keys()) {
    if (!key.name.starts_with(section)) continue;
    if (key.effect == Effect::kBits) return Effect::kBits;
    is_known_section = true;
  }
  return is_known_section ? Effect::kPlace : Effect::kBits;
}

}  // namespace

std::vector<Difference> differences(std::string_view text, const std::string& name, const Options& options) {
  // Compare values that the table accepts in canonical form, other values unchanged.
  Options then;
  then.layers.clear();
  std::map<std::string, std::vector<std::string>, std::less<>> unknown;
  for (const Setting& setting : read_ini(text, name)) {
    const std::optional<Key> key = find_key(setting.key);
    if (!key || !key->read(then, setting.value, setting.origin))
      unknown[setting.key].push_back(setting.value);
  }
  std::vector<Difference> found;
  std::vector<std::string> groups = group_names(options);
  if (const std::vector<std::string> before = group_names(then); before != groups) {
    found.push_back({"the order of optimizer.group", join(before, ", "), join(groups, ", ")});
    for (const std::string& group : before)
      if (std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
  }
  for (const Key& key : keys_of(groups)) {
    const auto raw = unknown.find(key.name);
    const std::string there = joined(raw != unknown.end() ? raw->second : key.write(then));
    const std::string here = joined(key.write(options));
    if (there != here && here.find('#') == std::string::npos)  // INI texts hold no value with '#'
      found.push_back({key.name, there, here, key.effect});
  }
  for (const auto& [key, values] : unknown)
    if (!find_key(key)) found.push_back({key, joined(values), "", effect_of_unknown(key)});
  return found;
}

}  // namespace convoy::config
