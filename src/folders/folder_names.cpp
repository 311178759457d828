#include "folder_names.hpp"

#include <algorithm>
#include <initializer_list>
#include <iterator>

#include "convoy/core/text.hpp"
#include "convoy/samples/names.hpp"

namespace convoy::importers {
namespace {

constexpr std::string_view kSeparators = "_-. ";

std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char ch : name) {
    if (kSeparators.find(ch) == std::string_view::npos)
      words.back() += ch;
    else if (!words.back().empty())
      words.emplace_back();
  }
  return words;
}

/// In lower case without separators: "jpegimages" of "JPEG images".
std::string plain(std::string_view name) {
  return in_lower_case(join(words_of(name), ""));
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

bool ends_in(std::string_view file, std::initializer_list<std::string_view> endings) {
  const std::string lower = in_lower_case(file);
  return std::ranges::any_of(endings, [&](std::string_view ending) { return lower.ends_with(ending); });
}

bool is_name_of_kind(std::string_view name) {
  return is_name_of_images(name) || is_one_of(plain(name), {"imagestr",
                                                            "imagests",
                                                            "labelstr",
                                                            "labelsts",
                                                            "mask",
                                                            "masks",
                                                            "label",
                                                            "labels",
                                                            "annot",
                                                            "annots",
                                                            "annotation",
                                                            "annotations",
                                                            "seg",
                                                            "segs",
                                                            "segmentation",
                                                            "segmentations",
                                                            "segmentationclass",
                                                            "segmentationobject",
                                                            "groundtruth",
                                                            "gt",
                                                            "bbox",
                                                            "bboxes",
                                                            "boundingboxes",
                                                            "xml",
                                                            "xmls",
                                                            "json",
                                                            "jsons",
                                                            "csv",
                                                            "txt",
                                                            "metadata"});
}

}  // namespace

std::string_view split_of_folder(std::string_view name) {
  const std::size_t last = name.find_last_not_of("0123456789");
  if (last == std::string_view::npos || last + 1 == name.size()) return data::names::split_of_spelling(name);
  const bool is_separated = last > 0 && kSeparators.find(name[last]) != std::string_view::npos;
  const std::string_view word = name.substr(0, is_separated ? last : last + 1);
  return word.size() > 2 ? data::names::split_of_spelling(word) : std::string_view();  // tr1 may be anything
}

std::string_view split_in(std::string_view name) {
  for (const std::string& word : words_of(name))
    if (const std::string_view split = split_of_folder(word); !split.empty()) return split;
  return {};
}

bool is_held_out(std::string_view name) {
  const std::string all = plain(name);
  return all.find("holdout") != std::string::npos || all.find("heldout") != std::string::npos ||
         std::ranges::any_of(words_of(name), [](const std::string& word) {
           const std::string lower = in_lower_case(word);
           return is_one_of(lower.substr(0, lower.find_last_not_of("0123456789") + 1),
                            {"eval", "evaluate", "evaluation"});
         });
}

bool is_name_of_images(std::string_view name) {
  return is_one_of(plain(name),
                   {"image", "images", "img", "imgs", "jpegimages", "jpg", "jpgs", "jpeg", "jpegs", "png",
                    "pngs", "pic", "pics", "picture", "pictures", "photo", "photos"});
}

bool is_name_without_label(std::string_view name) {
  return is_name_of_images(name) || !split_of_folder(name).empty() ||
         is_one_of(plain(name), {"all", "data", "files", "none", "unknown", "unlabeled", "unlabelled",
                                 "unclassified", "testimages", "valimages", "validationimages"});
}

std::vector<std::string> names_of_kinds(const std::vector<std::string>& names) {
  std::vector<std::string> kinds;
  std::ranges::copy_if(names, std::back_inserter(kinds), is_name_of_kind);
  if (kinds.size() == 1 && names.size() > 1 && plain(kinds.front()) == "mask") kinds.clear();
  return kinds;
}

bool is_table(std::string_view file) {
  return is_plain_table(file) || ends_in(file, {".json", ".xml"});
}
bool is_plain_table(std::string_view file) {
  const std::string lower = in_lower_case(file);
  const bool is_about = lower.starts_with("readme") || lower.starts_with("licen");
  return is_sure_table(file) || (lower.ends_with(".txt") && !is_about);
}
bool is_sure_table(std::string_view file) {
  return ends_in(file, {".csv", ".tsv"});
}

}  // namespace convoy::importers
