#include "targets.hpp"

#include "convoy/core/text.hpp"
#include "wrong.hpp"

namespace convoy::data {

Targets targets_of(const io::File& file, const io::Part& part, const io::DatasetInfo& info,
                   std::int64_t samples, const std::string& images) {
  if (!is_real(info.type))
    throw_wrong("wrong type", file, text_of(part), "is " + std::string(io::element_name(info.type)),
                "targets should be float16, float32 or float64; integers that name classes are labels");
  require_stored(file, part, info);
  const bool has_rows = !info.dims.empty() && (info.dims[0] == samples || samples == kUnknownSamples);
  if (count(info.dims) == 0 || (!has_rows && samples != 1))
    throw_wrong(
        "counts differ", file, text_of(part), "is [" + to_string(info.dims) + "]",
        samples == kUnknownSamples ? "targets are [N][...]" : images + " holds " + counted(samples, "image"));
  // Of a file with one sample, targets may lack the dimension N.
  if (!has_rows) return {1, count(info.dims), info.dims.empty() ? 1 : info.dims[0]};
  return {info.dims[0], count(info.dims) / info.dims[0]};
}

}  // namespace convoy::data
