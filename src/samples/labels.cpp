#include "labels.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <optional>
#include <span>

#include "convoy/core/error.hpp"
#include "convoy/core/text.hpp"
#include "wrong.hpp"

namespace convoy::data {
namespace {

constexpr std::int64_t kElementsAtOnce = std::int64_t{1} << 20;

/// The dimensions without those of one element.
Dims squeezed(const Dims& dims) {
  Dims rest;
  std::ranges::copy_if(dims, std::back_inserter(rest), [](std::int64_t extent) { return extent != 1; });
  return rest;
}

/// How labels of a shape lie: values per sample, 1 or the width of one-hot rows. Nothing if the shape is none
/// of labels. `samples` becomes known.
std::optional<std::int64_t> width_of(const Dims& dims, std::int64_t& samples) {
  const Dims rest = squeezed(dims);
  if (samples < 0)
    samples = dims.empty() ? 1 : dims.front() == 1 && rest.size() == 1 ? rest.front() : dims.front();
  if (count(dims) == samples && rest.size() <= 1) return 1;
  const bool is_one = samples == 1 && rest.size() == 1;
  const bool is_many = rest.size() == 2 && rest[0] == samples && dims.front() == samples;
  if (is_one || is_many) return rest.back();
  return std::nullopt;
}

/// Calls use(first sample, values) for all samples, some at a time.
template <class T>
void for_blocks(const io::File& file, const io::Part& part, const Dims& dims, std::int64_t width,
                const std::function<void(std::int64_t first, const std::vector<T>& values)>& use) {
  const std::int64_t rows = dims.empty() ? 1 : dims.front();
  const std::int64_t row = count(dims) / rows;
  const std::int64_t at_once = std::max<std::int64_t>(kElementsAtOnce / row, 1);
  std::vector<T> values;
  for (std::int64_t begin = 0; begin < rows; begin += at_once) {
    const Range here{begin, std::min(begin + at_once, rows)};
    values.resize(static_cast<std::size_t>(here.size() * row));
    file.read_rows<T>(part, here, values);
    use(begin * row / width, values);
  }
}

[[noreturn]] void throw_wrong_label(const io::File& file, const io::Part& part, const std::string& what,
                                    std::int64_t sample, const std::string& right) {
  throw_wrong("wrong label", file, text_of(part), fmt::format("holds {} for sample {}", what, sample), right);
}

std::vector<std::int64_t> read_whole_numbers(const io::File& file, const io::Part& part, const Dims& dims,
                                             const std::string& targets) {
  constexpr double kMostExact = 9007199254740992;  // 2^53
  std::vector<std::int64_t> labels;
  for_blocks<double>(file, part, dims, 1, [&](std::int64_t first, const std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double value = values[i];
      if (!(std::abs(value) <= kMostExact) || value != std::floor(value))
        throw_wrong_label(file, part, shortest(value), first + static_cast<std::int64_t>(i),
                          "labels are whole numbers; numbers to predict are " + targets);
      labels.push_back(static_cast<std::int64_t>(value));
    }
  });
  return labels;
}

/// The position of the only 1 of each row of `width` numbers. `targets`: the key of other numbers.
std::vector<std::int64_t> read_one_hot(const io::File& file, const io::Part& part, const Dims& dims,
                                       std::int64_t width, const std::string& targets) {
  std::vector<std::int64_t> labels;
  for_blocks<double>(file, part, dims, width, [&](std::int64_t first, const std::vector<double>& values) {
    for (std::size_t begin = 0; begin < values.size(); begin += static_cast<std::size_t>(width)) {
      const std::span row(values.data() + begin, static_cast<std::size_t>(width));
      const auto ones = std::ranges::count(row, 1.0);
      if (ones != 1 || std::ranges::count(row, 0.0) != width - 1)
        throw_wrong_label(
            file, part,
            ones == 1 ? "a number beside the 1" : fmt::format("{} ones in a row of {}", ones, width),
            first + static_cast<std::int64_t>(begin) / width,
            "one-hot labels have one 1 and zeros beside it; other numbers are " + targets);
      labels.push_back(std::ranges::find(row, 1.0) - row.begin());
    }
  });
  return labels;
}

std::string words_of_type(const io::DatasetInfo& info, const io::Part& part) {
  if (info.type != io::ElementType::kCompound) return "is " + std::string(io::element_name(info.type));
  return "holds records of " + join(info.fields, ", ") + ", such as " + part.dataset + '.' +
         (info.fields.empty() ? "FIELD" : info.fields.front());
}

}  // namespace

void LabelReader::require_form(Form form, const io::File& file, const io::Part& part) {
  const auto words_of = [](Form each) {
    return each == Form::kNames ? "text" : each == Form::kOneHot ? "one-hot rows" : "numbers";
  };
  if (form_ == Form::kUnknown) {
    form_ = form;
    first_ = text_of(part) + " of " + file.path();
  }
  if (form_ != form)
    throw_wrong("labels differ", file, text_of(part),
                fmt::format("holds {}, but {} holds {}", words_of(form), first_, words_of(form_)),
                "all labels of a data set should have one form");
}

std::int64_t LabelReader::number_of(const std::string& name) {
  return numbers_.emplace(name, static_cast<std::int64_t>(numbers_.size())).first->second;
}

std::vector<std::int64_t> LabelReader::read(const io::File& file, const io::Part& part, std::int64_t samples,
                                            const std::string& images) {
  const io::DatasetInfo info = file.info(part);
  const bool is_text = info.type == io::ElementType::kString;
  if (!is_text && !io::is_integer(info.type) && !io::is_real(info.type))
    throw_wrong("wrong type", file, text_of(part), words_of_type(info, part),
                "labels should be integers, whole numbers, one-hot rows or strings (h5py.string_dtype())");
  require_stored(file, part, info);
  std::int64_t found = samples;
  const auto width = width_of(info.dims, found);
  if (!width || count(info.dims) == 0)
    throw_wrong("counts differ", file, text_of(part), "is [" + to_string(info.dims) + "]",
                samples < 0 ? "labels are one number per sample, or one-hot rows"
                            : fmt::format("{} holds {}: labels should be [{}], or one-hot rows [{}][classes]",
                                          images, counted(samples, "image"), samples, samples));
  if (is_text && *width > 1)
    throw_wrong("wrong shape", file, text_of(part), "is [" + to_string(info.dims) + "]",
                "labels that are strings are one per sample");
  require_form(is_text ? Form::kNames : *width > 1 ? Form::kOneHot : Form::kNumbers, file, part);
  if (*width > 1) {
    if (width_ != 0 && width_ != *width)
      throw_wrong("shapes differ", file, text_of(part), fmt::format("holds rows of {}", *width),
                  fmt::format("those before it are of {}", width_));
    width_ = *width;
    return read_one_hot(file, part, info.dims, *width, options_.spelled("targets"));
  }
  if (io::is_real(info.type)) return read_whole_numbers(file, part, info.dims, options_.spelled("targets"));
  std::vector<std::int64_t> labels;
  if (!is_text) {
    for_blocks<std::int64_t>(file, part, info.dims, 1,
                             [&](std::int64_t first, const std::vector<std::int64_t>& values) {
                               require_not_clipped(file, part, info, first, values, "sample");
                               labels.insert(labels.end(), values.begin(), values.end());
                             });
    return labels;
  }
  const std::int64_t rows = info.dims.empty() ? 1 : info.dims.front();
  const std::int64_t at_once = std::max<std::int64_t>(kElementsAtOnce / (count(info.dims) / rows) / 16, 1);
  for (std::int64_t begin = 0; begin < rows; begin += at_once)
    for (const std::string& name : file.read_strings(part, {begin, std::min(begin + at_once, rows)}))
      labels.push_back(number_of(name));
  return labels;
}

}  // namespace convoy::data
