#include "shared_work.hpp"

#include <algorithm>

#include "convoy/core/text.hpp"

namespace convoy::importers {
namespace {

// Message format: "<number> <status> <message>", each terminated by '\0', which no message contains.
std::string to_wire(const std::vector<Trouble>& troubles) {
  std::string text;
  for (const Trouble& each : troubles) {
    text += std::to_string(each.file) + ' ' + std::to_string(static_cast<int>(each.status)) + ' ';
    text += each.message + '\0';
  }
  return text;
}

void append_from_wire(const std::string& text, std::vector<Trouble>& troubles) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t status = text.find(' ', begin) + 1;
    const std::size_t message = text.find(' ', status) + 1;
    const std::size_t end = text.find('\0', message);
    troubles.push_back({*parse_integer(text.substr(begin, status - 1 - begin)),
                        static_cast<ExitStatus>(*parse_integer(text.substr(status, message - 1 - status))),
                        text.substr(message, end - message)});
    begin = end + 1;
  }
}

}  // namespace

std::vector<Trouble> SharedWork::agree_on(const std::vector<Trouble>& mine) const {
  const auto stop = observer_ == nullptr ? std::nullopt : observer_->stop_status();
  const auto stops = world_.all_gather_values(std::vector{stop ? static_cast<int>(*stop) : 0});
  const auto asked = std::ranges::find_if(stops, [](int status) { return status != 0; });
  if (asked != stops.end()) throw_stopped(static_cast<ExitStatus>(*asked), options_.out);

  std::vector<Trouble> all;
  for (const std::string& text : world_.all_gather_text(to_wire(mine))) append_from_wire(text, all);
  std::ranges::sort(all, {}, &Trouble::file);
  for (const Trouble& each : all) {
    if (each.status != ExitStatus::kBadData) throw Error(each.status, each.message);
    if (options_.on_bad == OnBad::kStop)
      throw DataError(each.message + "; mend or remove it, or leave such images out with --on-bad skip");
  }
  if (observer_ != nullptr && world_.is_root())
    for (const Trouble& each : all) observer_->on_warning(each.message + "; left out");
  return all;
}

}  // namespace convoy::importers
